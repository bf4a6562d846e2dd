// Whose a client identifier is: MQTT 5.0 §3.1.3.1 lets a second connection with one take the first one's place.

/** Not in any `client_id` of an authority of ours. */
const SEPARATOR = ':';

/**
 * A connection is called as its identity is, or that and a name of its own behind a colon: an identity takes the place of its own
 * connections only.
 */
export function belongsTo(identifier: string, client: string): boolean {
  return identityOf(identifier) === client;
}

/** The `client_id` that a client identifier claims to be of. */
export function identityOf(identifier: string): string {
  const at = identifier.indexOf(SEPARATOR);
  return at === -1 ? identifier : identifier.slice(0, at);
}

/** For a client that leaves its name to the server. */
export function identifierFor(client: string, random: string): string {
  return `${client}${SEPARATOR}${random}`;
}
