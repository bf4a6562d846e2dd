/** Everything that a program needs to call an API, except the secret: that stays in its file. */
export interface Call {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly secretFile: string;
  /** Resource identifier of the API. */
  readonly resource: string;
  readonly scope: string;
  /** PEM file to trust, where the authority has a CA of its own. */
  readonly caFile: string | undefined;
  /** Address to call; the identifier where that is one. */
  readonly url: string;
}

/** A program in one language that gets a token and calls the API with it. */
export interface Snippet {
  readonly language: string;
  readonly title: string;
  readonly code: string;
}
