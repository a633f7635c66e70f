/** @file The whole play screen as a function of the state, at most rows − 1 lines high. */
import { Box } from "ink";
import { Panel, titleLines } from "../../components.tsx";
import { Bottom, HintsLine } from "../../Footer.tsx";
import { HelpPage } from "../../HelpPage.tsx";
import type { Notice } from "../../notice.ts";
import type { PanelView } from "../../panel.ts";
import type { InsidePage } from "../inside.ts";
import { viewInside } from "../insideViews.ts";
import { bindings, titles } from "../keys.ts";
import { type Layout, layoutOf } from "../layout.ts";
import { settingsView } from "../settingsView.ts";
import type { State } from "../state.ts";
import { treeView } from "../treeView.ts";
import { CardLine, SettingsLine } from "./Header.tsx";
import { EntropyRule, MixtureLine, SurpriseLine } from "./Measures.tsx";
import { NextTokenBars } from "./NextTokenBars.tsx";
import { PromptEditor } from "./PromptEditor.tsx";
import { TextPanel } from "./TextPanel.tsx";

export interface PlayScreenProps {
  readonly state: State;
}

/**
 * The page that the state says. Each part keeps to the lines and cells it is given: `overflow="hidden"` here would cost
 * as much as everything else in a frame.
 */
export function PlayScreen({ state }: PlayScreenProps) {
  const { columns, rows } = state.size;
  return (
    <Box flexDirection="column" width={columns} height={Math.max(1, rows - 1)}>
      {state.page === "help" ? <HelpAndHints state={state} /> : <Watch state={state} />}
    </Box>
  );
}

function HelpAndHints({ state }: PlayScreenProps) {
  const { columns, rows } = state.size;
  const hints = rows > 4 ? 1 : 0;
  return (
    <>
      <HelpPage
        bindings={bindings}
        titles={titles}
        top={state.helpTop}
        lines={Math.max(1, rows - 1 - hints)}
        width={columns}
      />
      {hints > 0 && <HintsLine bindings={bindings} page="help" width={columns} />}
    </>
  );
}

function Watch({ state }: PlayScreenProps) {
  const { snapshot, card, settings, running, page, dial } = state;
  const layout = layoutOf(state.size, snapshot?.mixture !== undefined);
  const width = layout.columns;
  const text = { rule: layout.textRule > 0, lines: layout.text, width };
  return (
    <>
      {layout.card > 0 && <CardLine card={card} width={width} />}
      {layout.settings > 0 && (
        <SettingsLine settings={settings} repair={snapshot?.repair} dial={dial} running={running} width={width} />
      )}
      {page === "edit" ? (
        <PromptEditor editor={state.editor} {...text} />
      ) : (
        <TextPanel snapshot={snapshot} contextLength={card?.contextLength} {...text} />
      )}
      {layout.surprise > 0 && <SurpriseLine tokens={snapshot?.tokens ?? []} width={width} />}
      <Below state={state} layout={layout} />
      <Bottom
        bindings={bindings}
        page={page}
        notice={noticeFor(state)}
        lines={(layout.notice + layout.hints) as 0 | 1 | 2}
        width={width}
      />
    </>
  );
}

interface BelowProps extends PlayScreenProps {
  readonly layout: Layout;
}

/** What stands below the text: the bars, or a page about the inside or the branches. */
function Below({ state, layout }: BelowProps) {
  const { page } = state;
  if (page === "watch" || page === "edit" || page === "help") return <Bars state={state} layout={layout} />;
  const width = layout.columns;
  const height = layout.entropy + layout.heads + layout.bars + layout.mixture;
  const room = height - titleLines(height);
  const view = viewPage(state, page, width, room);
  return <Panel view={view} width={width} height={height} />;
}

function viewPage(state: State, page: "tree" | "settings" | InsidePage, width: number, height: number): PanelView {
  if (page === "tree") return treeView(state, width, height);
  return page === "settings" ? settingsView(state, width, height) : viewInside(state, page, width, height);
}

function Bars({ state, layout }: BelowProps) {
  const { snapshot, card, selected } = state;
  const width = layout.columns;
  return (
    <>
      {layout.entropy > 0 && <EntropyRule next={snapshot?.next} vocabSize={card?.vocabSize} width={width} />}
      <Box flexDirection="column" height={layout.heads + layout.bars} flexShrink={0}>
        {snapshot !== undefined && (
          <NextTokenBars
            next={snapshot.next}
            selected={selected}
            lines={layout.bars}
            heads={layout.heads > 0}
            width={width}
          />
        )}
      </Box>
      {layout.mixture > 0 && <MixtureLine weights={snapshot?.mixture ?? []} width={width} />}
    </>
  );
}

function noticeFor(state: State): Notice | undefined {
  if (state.notice !== undefined) return state.notice;
  if (state.card === undefined) return { kind: "info", text: "loading the model …" };
  return state.snapshot === undefined ? { kind: "info", text: "reading the prompt …" } : undefined;
}
