/** @file The prompt while it is edited, with its caret. */
import { Box } from "ink";
import { readable } from "../../cells.ts";
import { Line, Rule } from "../../components.tsx";
import { theme } from "../../theme.ts";
import { type Span, wrapSpans } from "../../wrap.ts";
import { type Editor, underCaret } from "../editor.ts";

export interface PromptEditorProps {
  readonly editor: Editor;
  readonly rule: boolean;
  /** Lines of text, around the caret. */
  readonly lines: number;
  /** In cells. */
  readonly width: number;
}

/** The rule, then the lines around the caret. */
export function PromptEditor({ editor, rule, lines, width }: PromptEditorProps) {
  const all = editorLines(editor, width);
  const caretLine = all.findIndex((line) => line.some(({ look }) => look === theme.caret));
  const first = Math.max(0, Math.min(caretLine - Math.floor(lines / 2), all.length - lines));
  return (
    <Box flexDirection="column" height={lines + (rule ? 1 : 0)} flexShrink={0}>
      {rule && <Rule width={width} title="prompt" />}
      {all.slice(first, first + lines).map((spans, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place.
        <Line key={index} spans={spans} width={width} />
      ))}
    </Box>
  );
}

/** The text in lines; the caret stands on a character, or on a space behind the text. */
function editorLines(editor: Editor, width: number): readonly (readonly Span[])[] {
  const under = underCaret(editor);
  const spans: readonly Span[] = [
    { text: typed(editor.text.slice(0, editor.caret)), look: theme.plain },
    { text: under === "" ? " " : typed(under).replace("\n", "") || " ", look: theme.caret },
    { text: under === "\n" ? "\n" : "", look: theme.plain },
    { text: typed(editor.text.slice(editor.caret + under.length)), look: theme.plain },
  ];
  return wrapSpans(spans, Math.max(3, width));
}

function typed(text: string): string {
  return text.split("\n").map(readable).join("⏎\n");
}
