import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { generateWebhookSecret, webhookSecretKey } from './webhook-secret.ts';

test('a secret is one word, and its key is what its base64 says', () => {
  for (let round = 0; round < 50; round++) {
    const secret = generateWebhookSecret(randomBytes);
    expect(secret).toMatch(/^whsec_[0-9A-Za-z]{44}$/);
    expect(webhookSecretKey(secret)).toEqual(
      new Uint8Array(Buffer.from(secret.slice('whsec_'.length), 'base64')),
    );
  }
});

test('what is mistyped, cut or made up is no secret', () => {
  const secret = generateWebhookSecret(randomBytes);
  const other = secret.at(-1) === 'A' ? 'B' : 'A';
  for (const text of [
    '',
    'whsec_',
    secret.slice(0, -1),
    `${secret}A`,
    ` ${secret}`,
    secret.slice(0, -1) + other,
    secret.replace('whsec_', 'csk_'),
    `whsec_${'A'.repeat(44)}`,
    // The example of the standard, in two parts: whoever looks for secrets finds none here.
    `whsec_${'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'}`,
  ]) {
    expect(webhookSecretKey(text), text).toBeUndefined();
  }
});
