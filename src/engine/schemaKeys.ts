/** @file The keys of a zod schema, those of a union's members gathered: for help pages and for messages. */
import { z } from "zod";

/** What of a JSON schema is read here. */
export interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: string;
}

/** A key of an object, or of some members of a union. */
export interface SchemaKey {
  /** Its path: `model.head.kind`. */
  readonly path: string;
  readonly node: SchemaNode;
  /** The members that have it in this form, by kind; none where all do. */
  readonly kinds: readonly string[];
}

/** Every key that is no object itself, in the order of the schema. */
export function schemaKeys(schema: z.ZodType): SchemaKey[] {
  const walk = (node: SchemaNode, path: string, kinds: readonly string[]): SchemaKey[] =>
    keysOf(node).flatMap((key) => {
      const whole = path ? `${path}.${key.path}` : key.path;
      const of = key.kinds.length ? key.kinds : kinds;
      return keysOf(key.node).length ? walk(key.node, whole, of) : [{ path: whole, node: key.node, kinds: of }];
    });
  return walk(z.toJSONSchema(schema, { io: "input" }) as SchemaNode, "", []);
}

const membersOf = ({ oneOf, anyOf }: SchemaNode): readonly SchemaNode[] => oneOf ?? anyOf ?? [];

/** Keys of one object; those of a union's members that look alike are one. */
function keysOf(node: SchemaNode): SchemaKey[] {
  const members = membersOf(node).filter(({ properties }) => properties);
  if (!members.length)
    return Object.entries(node.properties ?? {}).map(([path, child]) => ({ path, node: child, kinds: [] }));
  const kindsOf = members.map(({ properties }) => properties!.kind?.const ?? "");
  const found = new Map<string, { path: string; node: SchemaNode; kinds: string[] }>();
  for (const [i, { properties }] of members.entries())
    for (const [path, child] of Object.entries(properties!)) {
      if (path === "kind") continue;
      const form = `${path} ${JSON.stringify(child)}`;
      const known = found.get(form);
      if (known) known.kinds.push(kindsOf[i]!);
      else found.set(form, { path, node: child, kinds: [kindsOf[i]!] });
    }
  const kind = { path: "kind", node: { enum: kindsOf }, kinds: [] };
  const keys = [...found.values()].map((key) => (key.kinds.length === members.length ? { ...key, kinds: [] } : key));
  return [kind, ...keys];
}
