// The target of a request, read in the one way that every server behind us reads it too, or refused: RFC 3986 §2, §6.2.2,
// RFC 9112 §3.2. What two servers could read differently is what path rules are got around with.

/** Why a target is refused. */
export type TargetFault =
  /** Absolute form, `*`, an authority, or nothing at all. */
  | 'target_not_a_path'
  | 'target_too_long'
  /** A character that RFC 3986 has no place for, a control character, a backslash or `#`. */
  | 'target_characters'
  /** `%` that is no escape, or escapes that are no UTF-8. */
  | 'path_bad_escape'
  /** An escaped `/`, `\`, `%`, `?`, `#`, NUL or other control character: one server decodes it, the next does not. */
  | 'path_ambiguous_escape'
  /** `.` or `..`, as they are or escaped. */
  | 'path_dots'
  /** A segment that ends in a dot or a space, which Windows leaves out. */
  | 'path_trailing_dot'
  /** `//` */
  | 'path_empty_segment'
  /** `;`: servers of the Java world cut a segment there. */
  | 'path_parameters'
  /** Not in the form NFKC: some systems fold such characters into others, `／` into `/`. */
  | 'path_not_normal';

export interface RequestTarget {
  /** Decoded segments. One slash at the end makes no difference. */
  readonly segments: readonly string[];
  /** As it was sent, without the query. */
  readonly path: string;
  /** With its `?`; empty where there is none. */
  readonly query: string;
}

export type TargetReading =
  | { readonly ok: true; readonly target: RequestTarget }
  | { readonly ok: false; readonly fault: TargetFault };

/** Bytes of a target. */
export const LONGEST_TARGET = 8192;

/** pchar of RFC 3986 §3.3, `/` and `;` among them: those that are not good have names of their own. */
const PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/;
/** More than RFC 3986 §3.4 has, for what browsers send unescaped: it decides nothing here. */
const QUERY = /^[!$-[\]-~]*$/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const AMBIGUOUS_ESCAPE = /%(?:2[Ff53]|3[Ff]|5[Cc]|[01][0-9A-Fa-f]|7[Ff])/;
const PARAMETERS = /;|%3[Bb]/;

/** Reads a target in origin form: path and query. */
export function readTarget(text: string): TargetReading {
  if (text.length > LONGEST_TARGET) return refuse('target_too_long');
  if (!text.startsWith('/')) return refuse('target_not_a_path');
  const at = text.indexOf('?');
  const path = at === -1 ? text : text.slice(0, at);
  const query = at === -1 ? '' : text.slice(at);
  if (!PATH.test(path) || !QUERY.test(query)) return refuse('target_characters');
  if (BROKEN_ESCAPE.test(path)) return refuse('path_bad_escape');
  if (AMBIGUOUS_ESCAPE.test(path)) return refuse('path_ambiguous_escape');
  if (PARAMETERS.test(path)) return refuse('path_parameters');
  const decoded = decode(path);
  if (decoded === undefined) return refuse('path_bad_escape');
  if (decoded.normalize('NFKC') !== decoded) return refuse('path_not_normal');
  const segments = decoded.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  if (segments.includes('')) return refuse('path_empty_segment');
  if (segments.some((segment) => segment === '.' || segment === '..')) return refuse('path_dots');
  if (segments.some((segment) => /[. ]$/.test(segment))) return refuse('path_trailing_dot');
  return { ok: true, target: { segments, path, query } };
}

function decode(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function refuse(fault: TargetFault): TargetReading {
  return { ok: false, fault };
}
