// A fetch that shows the certificate of CERT_FILE: Node's own takes one only through a package beside it.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

const { CERT_FILE, KEY_FILE, CA_FILE } = process.env;
const agent = new Agent({
  cert: readFileSync(CERT_FILE),
  key: readFileSync(KEY_FILE),
  ca: readFileSync(CA_FILE),
});

export async function certificateFetch(url, { method, headers, body }) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { agent, method, headers: Object.fromEntries(new Headers(headers)) },
      (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () =>
          resolve(
            new Response(Buffer.concat(chunks), { status: answer.statusCode, headers: answer.headers }),
          ),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined || body === null ? undefined : String(body));
  });
}
