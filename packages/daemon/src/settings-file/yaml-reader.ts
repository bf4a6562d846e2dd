// YAML whose every value knows its line, so that each fault can be found. Strict: no unknown member, none twice, no alias.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type ParsedNode, Scalar } from 'yaml';

/** What is wrong with the file, and where. The message is `file:line:column: member: what to write`. */
export class ConfigFault extends Error {
  readonly line: number;
  readonly member: string;

  constructor(file: string, { line, column, member }: Place, fix: string) {
    super(`${file}:${line}:${column}: ${member === '' ? '' : `${member}: `}${fix}`);
    this.name = 'ConfigFault';
    this.line = line;
    this.member = member;
  }
}

interface Place {
  readonly line: number;
  readonly column: number;
  /** Path of the member, `routes[3].path`. */
  readonly member: string;
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
}

/** The largest file that is read, in characters. */
export const LARGEST_CONFIG = 1_000_000;

/** Parses a file. @throws ConfigFault */
export function readYaml(file: string, text: string): YamlValue {
  const lines = new LineCounter();
  const top = { line: 1, column: 1, member: '' };
  if (text.length > LARGEST_CONFIG)
    throw new ConfigFault(file, top, `is larger than ${LARGEST_CONFIG} characters`);
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    const [what = 'is not YAML'] = error.message.split(/ at line \d|\n/);
    throw new ConfigFault(file, { line, column: col, member: '' }, what);
  }
  return new YamlValue({ file, lines }, document.contents, top);
}

/** One value of the file. Each reading method throws `ConfigFault` where the value is something else. */
export class YamlValue {
  readonly #source: Source;
  readonly #node: Node | null;
  readonly #place: Place;

  constructor(source: Source, node: Node | null, place: Place) {
    this.#source = source;
    this.#node = node;
    this.#place = place;
  }

  get line(): number {
    return this.#place.line;
  }

  get member(): string {
    return this.#place.member;
  }

  fault(fix: string): ConfigFault {
    return new ConfigFault(this.#source.file, this.#place, fix);
  }

  /** The members of a mapping, all of them known. */
  members<Name extends string>(known: readonly Name[]): { readonly [name in Name]?: YamlValue } {
    const found: { [name in Name]?: YamlValue } = {};
    for (const [name, value] of this.entries()) {
      if (!(known as readonly string[]).includes(name)) {
        throw value.fault(`is not known here; there is ${known.join(', ')}`);
      }
      found[name as Name] = value;
    }
    return found;
  }

  /** Names and values of a mapping with names of the user's own. */
  entries(): readonly (readonly [string, YamlValue])[] {
    if (!isMap(this.#node)) throw this.fault('write members, name: value');
    return this.#node.items.map(({ key, value }) => {
      if (!isScalar(key) || typeof key.value !== 'string') throw this.fault('write members, name: value');
      const member = this.#place.member === '' ? key.value : `${this.#place.member}.${key.value}`;
      return [key.value, this.#below(value as ParsedNode | null, member, key as ParsedNode)] as const;
    });
  }

  /** The items of a list; a single value is a list of one. */
  items(): readonly YamlValue[] {
    if (!isSeq(this.#node)) return [this];
    return this.#node.items.map((item, i) =>
      this.#below(item as ParsedNode | null, `${this.#place.member}[${i}]`, item as ParsedNode | null),
    );
  }

  string(): string {
    const { value } = this.#scalar();
    if (typeof value !== 'string' || value === '') throw this.fault('write a text');
    return value;
  }

  boolean(): boolean {
    const { value } = this.#scalar();
    if (typeof value !== 'boolean') throw this.fault('write true or false');
    return value;
  }

  integer(least: number, most: number): number {
    const { value } = this.#scalar();
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      throw this.fault(`write a whole number from ${least} to ${most}`);
    }
    return value as number;
  }

  oneOf<const Word extends string>(words: readonly Word[]): Word {
    const { value } = this.#scalar();
    const word = words.find((each) => each === value);
    if (word === undefined) throw this.fault(`write one of ${words.join(', ')}`);
    return word;
  }

  isMapping(): boolean {
    return isMap(this.#node);
  }

  #scalar(): Scalar {
    return isScalar(this.#node) ? this.#node : new Scalar(undefined);
  }

  #below(node: ParsedNode | null, member: string, at: ParsedNode | null): YamlValue {
    const offset = at?.range[0] ?? 0;
    const { line, col } = this.#source.lines.linePos(offset);
    return new YamlValue(this.#source, node, { line, column: col, member });
  }
}
