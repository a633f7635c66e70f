/** @file Every key of a configuration with its default and meaning, for `--help`: read from the schema. */
import type { z } from "zod";
import { type SchemaKey, type SchemaNode, schemaKeys } from "../engine/schemaKeys.ts";

/** Each key's path, and what it may be, its default, and for which kinds where not for all. */
export const describeKeys = (schema: z.ZodType): [path: string, meaning: string][] =>
  schemaKeys(schema).map((key) => [key.path, describe(key)]);

const describe = ({ node, kinds }: SchemaKey): string =>
  [
    kinds.length ? `${kinds.join(", ")}:` : "",
    node.enum ? `${node.enum.join(" | ")}${node.description ? ":" : ""}` : "",
    node.description,
    defaultOf(node),
  ]
    .filter((part) => part)
    .join(" ");

const defaultOf = ({ default: value }: SchemaNode): string =>
  value === undefined || typeof value === "object" ? "" : `(default ${JSON.stringify(value)})`;
