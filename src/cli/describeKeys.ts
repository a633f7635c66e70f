/** @file Every key of a configuration with its default and meaning, for `--help`: read from the schema. */
import { z } from "zod";

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: string;
}

/** A key of an object, or of some members of a union. */
interface Key {
  readonly name: string;
  readonly node: SchemaNode;
  /** The members that have it in this form, by kind; none where all do. */
  readonly kinds: readonly string[];
}

/** A line a key: its path, what it may be, its default, and for which kinds where not for all. */
export function describeKeys(schema: z.ZodType): string {
  const lines: string[] = [];
  const walk = (node: SchemaNode, path: string, kinds: readonly string[]): void => {
    for (const key of keysOf(node)) {
      const name = path ? `${path}.${key.name}` : key.name;
      const of = key.kinds.length ? key.kinds : kinds;
      if (keysOf(key.node).length) walk(key.node, name, of);
      else lines.push(`  ${name.padEnd(36)}${describe(key.node, of)}`);
    }
  };
  walk(z.toJSONSchema(schema, { io: "input" }) as SchemaNode, "", []);
  return lines.join("\n");
}

const membersOf = ({ oneOf, anyOf }: SchemaNode): readonly SchemaNode[] => oneOf ?? anyOf ?? [];

/** Keys in the order of the schema; those of a union's members that look alike are one. */
function keysOf(node: SchemaNode): Key[] {
  const members = membersOf(node).filter(({ properties }) => properties);
  if (!members.length)
    return Object.entries(node.properties ?? {}).map(([name, child]) => ({ name, node: child, kinds: [] }));
  const kindsOf = members.map(({ properties }) => properties!.kind?.const ?? "");
  const found = new Map<string, { name: string; node: SchemaNode; kinds: string[] }>();
  for (const [i, { properties }] of members.entries())
    for (const [name, child] of Object.entries(properties!)) {
      if (name === "kind") continue;
      const form = `${name} ${JSON.stringify(child)}`;
      const known = found.get(form);
      if (known) known.kinds.push(kindsOf[i]!);
      else found.set(form, { name, node: child, kinds: [kindsOf[i]!] });
    }
  const kind = { name: "kind", node: { enum: kindsOf }, kinds: [] };
  const keys = [...found.values()].map((key) => (key.kinds.length === members.length ? { ...key, kinds: [] } : key));
  return [kind, ...keys];
}

const describe = (node: SchemaNode, kinds: readonly string[]): string =>
  [kinds.length ? `${kinds.join(", ")}:` : "", node.enum?.join(" | "), node.description, defaultOf(node)]
    .filter((part) => part)
    .join(" ");

const defaultOf = ({ default: value }: SchemaNode): string =>
  value === undefined || typeof value === "object" ? "" : `(default ${JSON.stringify(value)})`;
