/** @file What the losses of all heads have in common: their options, and the error where a head does not define one. */
import { SandboxError } from "../../engine/errors.ts";
import { type HeadConfig, type LossOptions, undefinedOptions } from "./config.ts";
import { headName } from "./shortForm.ts";

/** The loss is `−log p(target)` and nothing else. */
export const withoutOptions: LossOptions = { labelSmoothing: 0, zLoss: 0 };

/** @throws {SandboxError} if an option is asked for that the head does not define. */
export function expectDefined(head: HeadConfig, options: LossOptions): void {
  const [wrong] = undefinedOptions(head, options);
  if (wrong)
    throw new SandboxError(
      `training.${wrong}: must be 0 with the head ${headName(head)}, which does not define it, got ${options[wrong]}`,
      "Leave it out, or choose the head softmax, which knows both labelSmoothing and zLoss.",
    );
}
