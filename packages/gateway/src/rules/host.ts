// The host that a request is for: RFC 9110 §7.2, RFC 3986 §3.2.2.

export interface RequestHost {
  /** Lower case, without port and without the dot at its end. */
  readonly name: string;
  /** What goes on to the upstream: the name and the port that was sent. */
  readonly authority: string;
}

const HOST =
  /^(?<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?<port>[0-9]{1,5}))?$/;

/** Reads a `Host` header; undefined for what is no host: a user name, a path, a list, an empty label. */
export function readHost(text: string): RequestHost | undefined {
  const { name, port } = HOST.exec(text)?.groups ?? {};
  if (name === undefined || name.includes('..')) return undefined;
  const plain = name.toLowerCase().replace(/\.$/, '');
  return { name: plain, authority: port === undefined ? plain : `${plain}:${port}` };
}

/** Which hosts a rule is for: one, all below a name (`*.example.com`, one label), or every (`*`). */
export interface HostPattern {
  readonly text: string;
  matches(name: string): boolean;
  /** Whether every host of the other is also one of this. */
  covers(other: HostPattern): boolean;
}

/** Undefined where the text is no host, with or without `*.` before it. Ports do not count. */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (text === '*') return { text, matches: () => true, covers: () => true };
  const below = text.startsWith('*.');
  const host = readHost(below ? text.slice(2) : text);
  if (host === undefined || host.name !== host.authority) return undefined;
  if (!below) {
    const matches = (name: string): boolean => name === host.name;
    return { text: host.name, matches, covers: (other) => other.text === host.name };
  }
  const tail = `.${host.name}`;
  const matches = (name: string): boolean =>
    name.endsWith(tail) && name.length > tail.length && !name.slice(0, -tail.length).includes('.');
  return { text: `*${tail}`, matches, covers: (other) => other.text === `*${tail}` || matches(other.text) };
}
