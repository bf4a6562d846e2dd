import type { IssuerKind } from './issuer-kind.ts';

/** Vouches for people, never for machines: its ID tokens are exchanged once, right after the sign-in (OpenID Connect Core §3.1.3.7). */
export const people: IssuerKind = { pins: ['sub'], maxTokenAge: 300, singleUse: true };
