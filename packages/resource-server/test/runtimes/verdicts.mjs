// Runs in another runtime: verifies what stdin says, each token twice, and prints what came of it as one line of JSON.
//   deno run … verdicts.mjs ENTRY
const [, , entry = ''] = process.argv;
const { createVerifier } = await import(entry);

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { issuer, audience, keys, now, requests } = JSON.parse(text);

const open = () => createVerifier({ issuer, audience, jwks: { keys }, clock: () => now, cutoffs: false });
const verifier = open();
const verdicts = [];
for (const { token, ...request } of requests) {
  const once = async () => {
    try {
      const { ok, status, error } = await verifier.verify(token, request);
      return ok ? 'accepted' : `${status} ${error}`;
    } catch (thrown) {
      return `threw ${thrown}`;
    }
  };
  verdicts.push([await once(), await once()]);
}
await verifier.close();
process.stdout.write(`${JSON.stringify(verdicts)}\n`);
