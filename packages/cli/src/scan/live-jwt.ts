// JSON Web Tokens, RFC 7519 §4.1: what an issuer made and whose end has not come.

/** Whether somebody could still use it: it names an issuer, is signed, and has not expired, or never does. */
export function jwtIsLive(token: string, now: number): boolean {
  const [head = '', body = ''] = token.split('.');
  const header = objectOf(head);
  const claims = objectOf(body);
  if (typeof header?.['alg'] !== 'string' || header['alg'] === 'none') return false;
  if (typeof claims?.['iss'] !== 'string') return false;
  const { exp } = claims;
  return typeof exp !== 'number' || exp * 1000 > now;
}

function objectOf(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
