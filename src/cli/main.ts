/** @file The command line: finds the command, loads it alone, prints its errors, sets the exit code. */
import { Command, CommanderError } from "commander";
import { SandboxError } from "../engine/errors.ts";
import { softboxVersion } from "../experiments/environment.ts";
import type { CommandModule } from "./command.ts";
import { exampleText } from "./examples.ts";
import { endLive, note } from "./output.ts";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

const commands: Readonly<Record<string, Entry>> = {
  start: {
    summary: "train the small model on Moby Dick, then write text",
    load: async () => (await import("./commands/start.ts")).start,
  },
  train: {
    summary: "train a model by recipe and flags, or go on with a run",
    load: async () => (await import("./commands/train.ts")).train,
  },
  generate: {
    summary: "write text with a trained model",
    load: async () => (await import("./commands/generate.ts")).generate,
  },
  play: {
    summary: "watch and steer the next-token distribution",
    load: async () => (await import("./commands/play.ts")).play,
  },
  eval: {
    summary: "loss, perplexity and bits per byte on any text",
    load: async () => (await import("./commands/eval.ts")).evaluate,
  },
  calibrate: {
    summary: "how sure a model is against how often it is right; repairs",
    load: async () => (await import("./commands/calibrate.ts")).calibrate,
  },
  score: {
    summary: "probability, rank and entropy of every token of a text",
    load: async () => (await import("./commands/score.ts")).score,
  },
  bottleneck: {
    summary: "the rank of a model's log-probabilities, and its head's bound",
    load: async () => (await import("./commands/bottleneck.ts")).bottleneck,
  },
  compare: {
    summary: "runs or heads side by side: loss over seeds, size, time",
    load: async () => (await import("./commands/compare.ts")).compare,
  },
  sweep: {
    summary: "many runs over a grid or at random, several at once",
    load: async () => (await import("./commands/sweep.ts")).sweep,
  },
  report: {
    summary: "runs as one HTML page: curves, comparison, film, calibration, attention",
    load: async () => (await import("./commands/report.ts")).report,
  },
  worker: {
    summary: "train trials of sweeps that come over a queue",
    load: async () => (await import("./commands/worker.ts")).worker,
  },
  corpus: {
    summary: "list corpora, count them, prepare their ids",
    load: async () => (await import("./commands/corpus.ts")).corpus,
  },
  runs: {
    summary: "list and compare runs",
    load: async () => (await import("./commands/runs.ts")).runs,
  },
  import: {
    summary: "make a run of a GPT-2 in Hugging Face's layout",
    load: async () => (await import("./commands/import.ts")).importCommand,
  },
  export: {
    summary: "write a model for transformers or llama.cpp",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  doctor: {
    summary: "which engines are usable here, and how fast",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
};

/** Commander's way of saying that it has printed what was asked for. */
const printedCodes = new Set(["commander.help", "commander.helpDisplayed", "commander.version"]);

/** Runs one command; sets `process.exitCode`: 0, 1 for what the user can put right, 2 for a bug. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  process.stdout.on("error", leaveQuietly);
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error; // nobody reads our notes: the work and its exit code stay
  });
  try {
    const program = await createProgram(args);
    await program.parseAsync(args.length ? [...args] : ["--help"], { from: "user" });
  } catch (error) {
    endLive();
    process.exitCode = report(error, commandOf(args));
  }
}

/** What becomes of a command whose arguments are read. */
type Act = (
  module: CommandModule,
  options: Readonly<Record<string, unknown>>,
  positional: readonly (string | undefined)[],
) => Promise<void>;

/**
 * The commands, of which the one that `args` name is loaded.
 *
 * @param act - what is done in place of running it.
 */
export async function createProgram(
  args: readonly string[],
  act: Act = (module, options, positional) => module.run(options, positional),
): Promise<Command> {
  const program = new Command("softbox").description(
    "A sandbox for training small language models, about the softmax.",
  );
  program
    .version(softboxVersion())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError()
    .addHelpText("after", "\nBegin with softbox start, or with softbox play on a model that comes along.");
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = program.command(name).description(summary).exitOverride();
    if (!args.includes(name)) continue; // the others stay unloaded
    const module = await load();
    command.addHelpText("after", exampleText(name));
    module.declare(command);
    command.action((...given: unknown[]) => {
      const positional = given.slice(0, -2) as (string | undefined)[];
      return act(module, given.at(-2) as Record<string, unknown>, positional);
    });
  }
  return program;
}

/** The command that is meant, for hints; a placeholder where none is. */
const commandOf = ([name = ""]: readonly string[]): string => (Object.hasOwn(commands, name) ? name : "<command>");

function report(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    if (printedCodes.has(error.code)) return error.exitCode === 0 ? 0 : 1;
    note(error.message.replace("\n(Did you mean", " (did you mean"));
    note(
      command === "<command>"
        ? "hint: softbox --help lists the commands, softbox <command> --help its options."
        : `hint: softbox ${command} --help tells what it takes.`,
    );
    return 1;
  }
  if (error instanceof SandboxError) {
    note(`error: ${error.message}`);
    if (error.hint) note(`hint: ${error.hint.replace("<command>", command)}`);
    return 1;
  }
  note("This is a bug in softbox:");
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 2;
}

/** The reader of our pipe has gone, e.g. `| head`: nothing is left to do. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}
