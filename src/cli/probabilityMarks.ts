/** @file Tokens with their probability in view: a colour where there is one, a mark behind the token where there is none. */

/** From the likeliest down: least probability, colour of a terminal with 256, mark, what it is called. */
const levels = [
  { least: 0.5, colour: 34, mark: "", says: "50 % or more" },
  { least: 0.2, colour: 148, mark: "¹", says: "20 %" },
  { least: 0.05, colour: 220, mark: "²", says: "5 %" },
  { least: 0.01, colour: 208, mark: "³", says: "1 %" },
  { least: 0, colour: 196, mark: "⁴", says: "less" },
] as const;

const levelOf = (probability: number) => levels.find(({ least }) => probability >= least) ?? levels[levels.length - 1]!;

/** A token's text with its probability in view; empty text stays empty. */
export function markedToken(text: string, probability: number, colour: boolean): string {
  if (text === "") return "";
  const level = levelOf(probability);
  return colour ? `\u001b[38;5;${level.colour}m${text}\u001b[39m` : `${text}${level.mark}`;
}

/** What colours or marks mean, in one line. */
export const markLegend = (colour: boolean): string =>
  `probability by the model: ${levels.map(({ says, least, mark }) => (colour ? markedToken(says, least, true) : `${mark || "no mark"} ${says}`)).join(" · ")}`;
