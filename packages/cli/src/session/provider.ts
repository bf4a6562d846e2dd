// Where people sign in, and what a person is told where nobody can.
import {
  type SignInOffer,
  signInOfferIn,
  type SignInProvider,
  signInProviderIn,
  signInProviderUrl,
} from '@countersign/admin-api';
import { CommandFailure } from '../failure.ts';

/** @throws CommandFailure */
export async function readOffer(send: typeof fetch, authority: string): Promise<SignInOffer> {
  const response = await send(`${authority}/v1/sign-in`, { redirect: 'error' });
  const offer = await signInOfferIn(response, { authority, client: 'cli' });
  if (!('fault' in offer)) return offer;
  if (offer.fault === 'nobody') {
    throw new CommandFailure(
      'not_found',
      'Nobody signs in at this authority: it trusts no issuer of people.',
      {
        fix: 'Create one: countersign trusted-issuers create --kind people (docs/guide/sign-in.md)',
      },
    );
  }
  throw new CommandFailure(
    'failure',
    offer.fault === 'elsewhere'
      ? `${authority} names another authority to sign in at: ${offer.endpoint}`
      : `${authority} does not say where people sign in.`,
  );
}

/** @throws CommandFailure */
export async function readProvider(send: typeof fetch, issuer: string): Promise<SignInProvider> {
  const response = await send(signInProviderUrl(issuer), { redirect: 'error' });
  const provider = await signInProviderIn(response, issuer);
  if (typeof provider !== 'string') return provider;
  throw new CommandFailure('failure', `The metadata of ${issuer} are not acceptable: ${provider}.`);
}
