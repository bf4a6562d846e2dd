import { systemClock } from './clock.ts';
import type { Deployment } from './config/deployment.ts';
import { readSettingFile, SettingError } from './config/load.ts';
import { makeCertificate, presentCertificate } from './http/development-ca.ts';
import type { ListenOptions } from './http/fastify-server.ts';
import { pooledRandom } from './ids.ts';
import { isReadableByOthers } from './keys/secret-file.ts';

/** The certificate that this server shows to its callers. */

export interface ServerCertificate {
  readonly tls: ListenOptions['tls'];
  readonly caFile: string | undefined;
}

/** Given in files, or made by the development CA. Throws `SettingError` where a key is open to others. */
export async function serverCertificate(deployment: Deployment): Promise<ServerCertificate> {
  const { tls, dataDir } = deployment;
  if (tls.kind === 'none') return { tls: undefined, caFile: undefined };
  if (tls.kind === 'files') {
    // One after the other: where both are missing, a refusal names the same one each time.
    const cert = readSettingFile('tls-cert', tls.certificate);
    const key = readSettingFile('tls-key', tls.key);
    if (deployment.mode === 'serve' && (await isReadableByOthers(tls.key))) {
      throw new SettingError('tls-key', 'is readable by others', `chmod 600 ${tls.key}`);
    }
    return { tls: { cert, key }, caFile: undefined };
  }
  const now = systemClock.now();
  const made =
    (await presentCertificate(dataDir, now)) ?? (await makeCertificate(dataDir, now, pooledRandom()));
  return { tls: { cert: made.certificate, key: made.privateKey }, caFile: made.caFile };
}
