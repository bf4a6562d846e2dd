// How a client proves itself at the token endpoint: RFC 6749 §2.3. One file per method beside this one.

/** What a method adds to a token request. */
export interface ClientAuthentication {
  readonly headers: { readonly [name: string]: string };
  readonly form: readonly (readonly [name: string, value: string])[];
}

/** `name` is the registered one; `prove` adds the proof and nothing else. */
export interface ClientAuthMethod {
  readonly name: string;
  prove(client: { readonly clientId: string; readonly clientSecret: string }): ClientAuthentication;
}
