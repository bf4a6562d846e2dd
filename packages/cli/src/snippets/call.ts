/** Everything that a program needs to call an API, except what is secret: that stays in its file. */
export interface Call {
  readonly issuer: string;
  /** The one for certificates, where the proof is one. */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly proof: CallProof;
  /** Resource identifier of the API. */
  readonly resource: string;
  readonly scope: string;
  /** PEM file to trust, where the authority has a CA of its own. */
  readonly caFile: string | undefined;
  /** Address to call; the identifier where that is one. */
  readonly url: string;
  /** Its tokens are CBOR Web Tokens, which are asked for in CBOR and used over CoAP. */
  readonly isDevice?: boolean;
}

/** Where a workload finds the token of its platform. */
export type SubjectTokenPlace = 'github_actions' | 'gitlab' | 'kubernetes' | 'file';

/** What the program proves itself with; files by their paths. */
export type CallProof =
  | { readonly by: 'secret'; readonly file: string }
  | { readonly by: 'key'; readonly key: string }
  | { readonly by: 'certificate'; readonly certificate: string; readonly key: string }
  | { readonly by: 'subject_token'; readonly place: SubjectTokenPlace; readonly file: string };

/** A call by client secret: the one proof that every language sends with its standard library alone. */
export type SecretCall = Call & { readonly proof: Extract<CallProof, { by: 'secret' }> };

/** A program in one language that gets a token and calls the API with it. */
export interface Snippet {
  readonly language: string;
  readonly title: string;
  readonly code: string;
}
