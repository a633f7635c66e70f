/** @file The whole training screen as a function of the state, at most rows − 1 lines high. */
import { Box } from "ink";
import { Panel, titleLines } from "../../components.tsx";
import { Bottom, HintsLine } from "../../Footer.tsx";
import { HelpPage } from "../../HelpPage.tsx";
import type { Notice } from "../../notice.ts";
import { bindings, titles } from "../keys.ts";
import { type Placed, trainLayout } from "../layout.ts";
import { viewPanel } from "../panels.ts";
import type { State } from "../state.ts";
import { FiguresLine, LossLine, ProgressLine, RunLine } from "./Header.tsx";

export interface TrainScreenProps {
  readonly state: State;
}

/** The page that the state says. */
export function TrainScreen({ state }: TrainScreenProps) {
  const { columns, rows } = state.size;
  return (
    <Box flexDirection="column" width={columns} height={Math.max(1, rows - 1)}>
      {state.page === "help" ? <Help state={state} /> : <Dashboard state={state} />}
    </Box>
  );
}

function Help({ state }: TrainScreenProps) {
  const { columns, rows } = state.size;
  const hints = rows > 4 ? 1 : 0;
  const lines = Math.max(1, rows - 1 - hints);
  return (
    <>
      <HelpPage bindings={bindings} titles={titles} top={state.helpTop} lines={lines} width={columns} />
      {hints > 0 && <HintsLine bindings={bindings} page="help" width={columns} />}
    </>
  );
}

function Dashboard({ state }: TrainScreenProps) {
  const width = state.size.columns;
  const layout = trainLayout(state.size, state.panel);
  return (
    <>
      {layout.card > 0 && <RunLine state={state} width={width} />}
      {layout.progress > 0 && <ProgressLine state={state} width={width} />}
      {layout.losses > 0 && <LossLine state={state} width={width} />}
      {layout.figures > 0 && <FiguresLine state={state} width={width} />}
      <Box flexDirection="row" flexShrink={0}>
        <Column state={state} panels={layout.left} />
        {layout.right.length > 0 && <Box width={2} flexShrink={0} />}
        {layout.right.length > 0 && <Column state={state} panels={layout.right} />}
      </Box>
      <Bottom bindings={bindings} page={state.page} notice={noticeFor(state)} lines={layout.bottom} width={width} />
    </>
  );
}

interface ColumnProps extends TrainScreenProps {
  readonly panels: readonly Placed[];
}

function Column({ state, panels }: ColumnProps) {
  return (
    <Box flexDirection="column" flexShrink={0}>
      {panels.map((placed) => (
        <PanelBox key={placed.panel} state={state} {...placed} />
      ))}
    </Box>
  );
}

function PanelBox({ state, panel, width, lines }: Placed & TrainScreenProps) {
  return <Panel view={viewPanel(state, panel, width, lines - titleLines(lines))} width={width} height={lines} />;
}

function noticeFor(state: State): Notice | undefined {
  if (state.page === "leave") return { kind: "info", text: "stop, save and leave?", hint: "q yes, escape no" };
  if (state.notice !== undefined) return state.notice;
  const { card, phase } = state;
  if (phase === "loading") return { kind: "info", text: "loading text and model …" };
  if (phase === "paused") return { kind: "info", text: "paused: space goes on" };
  if (phase === "stopping") return { kind: "info", text: "stopping after this step, saving … ctrl-c leaves at once" };
  if (phase === "finished" && card?.source === "training")
    return { kind: "info", text: `trained and saved in ${card.run}`, hint: `q, then softbox play ${card.run}` };
  if (phase === "finished") return { kind: "info", text: "the end of the record: q leaves" };
  if (card?.source === "watching")
    return { kind: "info", text: "another process trains this run: what it writes is shown, nothing is changed" };
  return undefined;
}
