import { inject } from 'vitest';

/** One client of the token endpoint, as its operator knows it. */
export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

/** What the suite runs against. Plain data: it crosses from the global setup into the test workers as JSON. */
export interface Target {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  /** PEM of the CA that signed the server's certificate; absent where the platform's own list is enough. */
  readonly ca?: string;
  readonly caFile?: string;
  /** Where an admin API is at hand the suite makes what it needs through it. */
  readonly admin?: { readonly client: ClientCredentials; readonly resource: string; readonly api: string };
  /** For an issuer without our admin API: one client that exists already, and what it may ask for. */
  readonly given?: {
    readonly client: ClientCredentials;
    readonly resource?: string;
    readonly scopes: string[];
  };
  /** Present when this run started the server itself: its files may be read, its secrets are looked for at the end. */
  readonly own?: {
    readonly pid: number;
    readonly dataDir: string;
    readonly logFile: string;
    readonly canaries: string;
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    target: Target;
  }
}

/** The server under test, as the global setup found or started it. */
export function currentTarget(): Target {
  return inject('target');
}

/** False where the run is against a given server: then nothing may be started or killed. */
export function mayStartServers(): boolean {
  const target = inject('target') as Target | undefined;
  return target === undefined || target.own !== undefined;
}
