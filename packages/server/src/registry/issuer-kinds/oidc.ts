import type { IssuerKind } from './issuer-kind.ts';

/** OpenID Connect Core §2: `sub` is never reassigned. */
export const oidc: IssuerKind = { pins: ['sub'], maxTokenAge: 3600, singleUse: true };
