/**
 * Reads the schemas of the admin contract as the flags that fill them, so that a member added to the contract is a
 * flag of the command without anybody writing it down twice.
 */

export type FieldKind = 'text' | 'integer' | 'boolean' | 'choice' | 'words' | 'instant' | 'other';

/** One member of a body or a query that a flag can fill. */
export interface Field {
  /** From the object's root: `['owner', 'person']`. */
  readonly path: readonly string[];
  readonly kind: FieldKind;
  /** For a choice. */
  readonly values: readonly string[];
  readonly required: boolean;
  /** null takes the member away. */
  readonly nullable: boolean;
  readonly description: string | undefined;
}

/** What is read of a schema. The contract is written with zod 4; nothing here depends on the library itself. */
interface Schema {
  readonly description?: string | undefined;
  readonly def: {
    readonly type: string;
    readonly format?: string;
    readonly innerType?: Schema;
    readonly out?: Schema;
    readonly element?: Schema;
    readonly entries?: Readonly<Record<string, string>>;
    readonly shape?: Readonly<Record<string, Schema>>;
    readonly options?: readonly Schema[];
    readonly catchall?: Schema;
    readonly values?: readonly unknown[];
  };
}

/** The fields of an object schema, nested objects flattened; for a union those of all its variants. */
export function contractFields(schema: unknown): readonly Field[] {
  return schema === undefined ? [] : fieldsUnder(schema as Schema, [], true);
}

interface Unwrapped {
  readonly schema: Schema;
  readonly required: boolean;
  readonly nullable: boolean;
  readonly description: string | undefined;
}

function unwrap(outer: Schema): Unwrapped {
  let schema = outer;
  let required = true;
  let nullable = false;
  let { description } = outer;
  for (;;) {
    const { def } = schema;
    if (def.type === 'optional' || def.type === 'default' || def.type === 'prefault') required = false;
    else if (def.type === 'nullable') nullable = true;
    else if (def.type !== 'pipe') return { schema, required, nullable, description };
    schema = (def.innerType ?? def.out) as Schema;
    description ??= schema.description;
  }
}

function fieldsUnder(outer: Schema, path: readonly string[], parentRequired: boolean): readonly Field[] {
  const { schema, required: ownRequired, nullable, description } = unwrap(outer);
  const required = ownRequired && parentRequired;
  const { def } = schema;
  if (def.type === 'object' && def.shape !== undefined && !isLoose(def.catchall)) {
    return Object.entries(def.shape).flatMap(([name, member]) =>
      fieldsUnder(member, [...path, name], required),
    );
  }
  if (def.type === 'union' && def.options !== undefined && path.length === 0) {
    return variantFields(def.options);
  }
  const [kind, values] = kindOf(schema);
  return [{ path, kind, values, required, nullable, description }];
}

/** A member is required only when every variant has and requires it; the values of the discriminator are gathered. */
function variantFields(options: readonly Schema[]): readonly Field[] {
  const byName = new Map<string, { field: Field; seen: number }>();
  for (const option of options) {
    for (const field of fieldsUnder(option, [], true)) {
      const name = field.path.join('.');
      const known = byName.get(name);
      byName.set(name, {
        field: {
          ...field,
          values: [...new Set([...(known?.field.values ?? []), ...field.values])],
          required: field.required && (known?.field.required ?? true),
        },
        seen: (known?.seen ?? 0) + 1,
      });
    }
  }
  return [...byName.values()].map(({ field, seen }) => ({
    ...field,
    required: field.required && seen === options.length,
  }));
}

function kindOf({ def }: Schema): readonly [FieldKind, readonly string[]] {
  switch (def.type) {
    case 'string':
      return [def.format === 'datetime' ? 'instant' : 'text', []];
    case 'number':
    case 'int':
      return ['integer', []];
    case 'boolean':
      return ['boolean', []];
    case 'enum':
      return ['choice', Object.values(def.entries ?? {})];
    case 'literal':
      return ['choice', (def.values ?? []).map(String)];
    case 'array':
      return [
        def.element !== undefined && unwrap(def.element).schema.def.type === 'string' ? 'words' : 'other',
        [],
      ];
    default:
      return ['other', []];
  }
}

function isLoose(catchall: Schema | undefined): boolean {
  return catchall !== undefined && catchall.def.type !== 'never';
}
