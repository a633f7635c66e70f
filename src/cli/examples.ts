/** @file Examples at the end of each command's help: what may be typed as it stands, and what it does. */

/** By command; one whose help shows its forms anyway is left out. */
export const examples: Readonly<Record<string, readonly (readonly [line: string, does: string])[]>> = {
  train: [
    ["softbox train --recipe nano-char --steps 500", "characters of Moby Dick"],
    ["softbox train --corpus my.txt --head mos:4 --ui", "your text, on a dashboard"],
    ["softbox train --resume checkpoints/moby --steps 2000", "goes on"],
    ["softbox train --like checkpoints/moby --seed 2", "its twin"],
  ],
  generate: [
    ['softbox generate checkpoints/moby --prompt "The whale" --top-p 0.9', ""],
    ["softbox generate -n 4 --temperature 0.7 --seed 7", "four texts"],
    ['softbox generate --filters "min-p=0.05,temperature=1.5" --show', "in colours"],
  ],
  play: [
    ["softbox play", "on the newest run, else on a model that comes along"],
    ["softbox play checkpoints/moby --beside checkpoints/moby-2", ""],
  ],
  score: [
    ['softbox score --text "Call me Ishmael."', ""],
    ["softbox score checkpoints/moby --file my.txt --show", "in colours"],
  ],
  eval: [
    ["softbox eval checkpoints/moby --on my.txt", "on a text of your own"],
    ["softbox eval checkpoints/moby --mc-dropout 16", ""],
    ["softbox eval --ensemble checkpoints/moby checkpoints/moby-2", ""],
  ],
  calibrate: [
    ["softbox calibrate checkpoints/moby --save temperature", ""],
    ["softbox eval checkpoints/moby --calibrated", "with what was saved"],
    ["softbox calibrate --study", "five small trainings"],
  ],
  bottleneck: [
    ["softbox bottleneck checkpoints/moby --svg spectrum.svg", ""],
    ["softbox bottleneck --experiment", "18 small trainings"],
  ],
  compare: [
    ["softbox compare --head softmax,mos:4 --steps 400 --decay-steps 400", ""],
    ["softbox compare checkpoints/moby checkpoints/moby-2", "what is there"],
  ],
  sweep: [
    ["softbox sweep --sweep lr=1e-4..1e-2:log --sweep head=softmax,mos:4", ""],
    ["softbox sweep --sweep layers=1..4 --steps 200 --seeds 3 --parallel 2", ""],
  ],
  report: [["softbox report checkpoints/compare-moby --out heads.html", ""]],
  corpus: [
    ["softbox corpus list", ""],
    ["softbox corpus stats my.txt --tokenizer char", ""],
  ],
  import: [
    ["softbox import gpt2-folder", "then checkpoints/gpt2-folder is a run"],
    ['softbox generate checkpoints/gpt2-folder --prompt "The whale"', ""],
    ["softbox train --from checkpoints/gpt2-folder --corpus my.txt", "fine-tuned"],
  ],
  export: [["softbox export checkpoints/moby --format gguf", "for llama.cpp"]],
  doctor: [
    ["softbox doctor", "a line an engine"],
    ["softbox doctor --install tensorflow", "274 MB"],
  ],
};

/** The lines below a command's options; nothing where it has no examples. */
export function exampleText(command: string): string {
  const lines = examples[command]?.map(([line, does]) => `  ${line}${does && `   # ${does}`}`) ?? [];
  return lines.length === 0 ? "" : `\nExamples:\n${lines.join("\n")}`;
}
