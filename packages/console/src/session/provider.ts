// Where people sign in, and what a person is told where nobody can.
import {
  type SignInOffer,
  signInOfferIn,
  type SignInProvider,
  signInProviderIn,
  signInProviderUrl,
} from '@countersign/admin-api';
import { SignInFailure } from './failure.ts';

/** With the milliseconds by which the authority's clock is ahead of this browser's. @throws SignInFailure */
export async function readOffer(authority: string): Promise<SignInOffer & { readonly ahead: number }> {
  const response = await fetch(`${authority}/v1/sign-in`, { redirect: 'error' }).catch(() => undefined);
  if (response === undefined) {
    throw new SignInFailure('The authority cannot be reached.', 'See whether it runs, and try again.');
  }
  const offer = await signInOfferIn(response, { authority, client: 'console' });
  if (!('fault' in offer)) return { ...offer, ahead: aheadIn(response) };
  if (offer.fault === 'nobody') {
    throw new SignInFailure(
      'Nobody signs in at this authority: it trusts no issuer of people.',
      'On a machine that administers it: countersign trusted-issuers create --kind people',
    );
  }
  throw new SignInFailure('The authority does not say where people sign in.', 'Tell who runs it.');
}

/** The header has whole seconds: only what is more than that is a clock that is wrong. */
function aheadIn(response: Response): number {
  const told = Date.parse(response.headers.get('date') ?? '');
  const apart = Number.isNaN(told) ? 0 : told - Date.now();
  return Math.abs(apart) > 2000 ? apart : 0;
}

/** @throws SignInFailure */
export async function readProvider(issuer: string): Promise<SignInProvider> {
  const response = await fetch(signInProviderUrl(issuer), { redirect: 'error' }).catch(() => undefined);
  if (response === undefined) {
    throw new SignInFailure(
      `${issuer} cannot be asked from a browser.`,
      `Let it allow the origin ${location.origin} (CORS), as a provider does for a single-page application.`,
    );
  }
  const provider = await signInProviderIn(response, issuer);
  if (typeof provider !== 'string') return provider;
  throw new SignInFailure(
    `The metadata of ${issuer} are not acceptable: ${provider}.`,
    'Tell who runs the authority.',
  );
}
