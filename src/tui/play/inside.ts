/** @file Where the pages about the inside of the model stand, and what they ask for. */
import type { Notice } from "../notice.ts";
import type { Insight, ModelCard, Peer, Query } from "./port.ts";
import type { State } from "./state.ts";

/** Pages that show the inside of the model below the text. */
export type InsidePage = "mixture" | "attention" | "lens" | "film" | "peer";

/** The answer to a query about one version of the text. */
export interface Answer {
  readonly query: Query;
  readonly version: number;
  /** A notice where the question failed. */
  readonly insight: Insight | Notice;
}

/** What is looked at. */
export interface Inside {
  readonly layer: number;
  readonly head: number;
  /** Frames of the film before the last one. */
  readonly frame: number;
  /** What stands beside the distribution. */
  readonly peer: Peer["kind"];
  readonly temperature: number;
  /** Index among the run's saved steps, the newest first. */
  readonly checkpoint: number;
}

/** A second temperature that shows something: the first one doubled. */
export function initialInside({ temperature }: { readonly temperature: number }): Inside {
  return {
    layer: 0,
    head: 0,
    frame: 0,
    peer: "run",
    temperature: Math.max(0.1, Math.round(temperature * 20) / 10),
    checkpoint: 1,
  };
}

/** What the page at hand wants to know; undefined: nothing. */
export function queryOf({ page, inside, settings, card }: State): Query | undefined {
  switch (page) {
    case "mixture":
    case "lens":
    case "film":
      return { kind: page };
    case "attention":
      return { kind: "attention", layer: inside.layer, head: inside.head };
    case "peer":
      return { kind: "peer", peer: peerOf(inside, card), settings };
    default:
      return undefined;
  }
}

/** The peer that the page stands at; where there is no other run, no second checkpoint, it is a temperature. */
function peerOf({ peer, temperature, checkpoint }: Inside, card: ModelCard | undefined): Peer {
  const steps = card?.savedSteps ?? [];
  const step = steps[Math.min(checkpoint, steps.length - 1)];
  if (peer === "run" && card?.beside !== undefined) return { kind: "run" };
  return peer === "checkpoint" && step !== undefined
    ? { kind: "checkpoint", step }
    : { kind: "temperature", temperature };
}

/** What may stand beside, in the order in which a key goes through it. */
export function turnPeer({ inside, card }: State): Inside {
  const kinds: readonly Peer["kind"][] = ["temperature", "checkpoint", "run"];
  const there = kinds.filter((kind) => peerOf({ ...inside, peer: kind }, card).kind === kind);
  const at = there.indexOf(peerOf(inside, card).kind);
  return { ...inside, peer: there[(at + 1) % there.length]! };
}

/** The place after arrows: heads and layers of a map, frames of a film, the peer's temperature or step. */
export function moveInside({ page, inside, answer, card }: State, across: number, down: number): Inside {
  switch (page) {
    case "attention": {
      const shown = answer?.insight.kind === "attention" ? answer.insight : undefined;
      return {
        ...inside,
        head: turned(inside.head + across, shown?.heads ?? 1),
        layer: turned(inside.layer + down, shown?.layers ?? 1),
      };
    }
    case "film": {
      const frames = answer?.insight.kind === "film" ? answer.insight.frames.length : 1;
      return { ...inside, frame: Math.max(0, Math.min(frames - 1, inside.frame - across)) };
    }
    case "peer": {
      if (peerOf(inside, card).kind === "checkpoint")
        return { ...inside, checkpoint: turned(inside.checkpoint - across, card?.savedSteps?.length ?? 1) };
      const temperature = Math.max(0, Math.min(5, Math.round((inside.temperature + across * 0.1) * 10) / 10));
      return { ...inside, temperature };
    }
    default:
      return inside;
  }
}

const turned = (place: number, count: number): number => ((place % count) + count) % count;

/** Whether the answer at hand is the one to this question about this text. */
export function isAnswered({ answer, version }: State, query: Query): boolean {
  return answer?.version === version && JSON.stringify(answer.query) === JSON.stringify(query);
}

/** The answer for the page and the text at hand, or the last one of the same kind while a new one is made. */
export function insightOf({ answer, page }: State): Insight | Notice | undefined {
  return answer?.query.kind === page ? answer.insight : undefined;
}
