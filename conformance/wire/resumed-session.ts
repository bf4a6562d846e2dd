import { connect } from 'node:tls';
import type { ShownCertificate } from './certificates.ts';
import type { SeededScene } from './scene.ts';
import { FORM, formBody } from './token-request.ts';

/** One token request on a connection of its own, which resumes a session where one is given. */
export function resumable(
  url: string,
  { cert, key }: ShownCertificate,
  { machine, target }: SeededScene,
  session?: Buffer,
): Promise<{ readonly status: number; readonly resumed: boolean; readonly session: Buffer | undefined }> {
  const { hostname, port, pathname } = new URL(url);
  const body = formBody({ grant_type: 'client_credentials', client_id: machine.id });
  return new Promise((resolve, reject) => {
    let latest: Buffer | undefined;
    let text = '';
    const options = { host: hostname, servername: hostname, port: Number(port), cert, key };
    const socket = connect(
      { ...options, ca: target.ca, ...(session === undefined ? {} : { session }) },
      () => {
        const resumed = socket.isSessionReused();
        socket.on('close', () => resolve({ status: Number(text.split(' ')[1]), resumed, session: latest }));
        socket.write(
          `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: ${FORM}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        );
      },
    );
    socket.on('session', (given) => (latest = given));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', reject);
  });
}
