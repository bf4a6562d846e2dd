// An OPC UA application with a certificate of the deployment: whom it trusts is whoever has one of the same root, and is on no revocation
// list. Nobody carries certificates from machine to machine.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {any} opcua node-opcua
 * @param {string} folder with NAME.key, NAME.pem (the certificate and those between it and the root) and root.pem
 * @param {string} name @param {typeof fetch} fetch
 */
export async function applicationOf(opcua, folder, name, fetch) {
  const certificateFile = join(folder, `${name}.pem`);
  const certificateManager = new opcua.OPCUACertificateManager({
    rootFolder: join(folder, `${name}-pki`),
    automaticallyAcceptUnknownCertificate: false,
  });
  await certificateManager.initialize();
  const [own, ...between] = certificatesIn(certificateFile);
  for (const authority of [...between, ...certificatesIn(join(folder, 'root.pem'))]) {
    await certificateManager.addIssuer(authority, false, true);
  }
  const list = await fetch(listNamedIn(own));
  if (!list.ok) throw new Error(`the revocation list: ${list.status}`);
  await certificateManager.addRevocationList(Buffer.from(await list.arrayBuffer()));
  // The root signs no list, and node-opcua would have one of every authority.
  const verify = certificateManager.verifyCertificate.bind(certificateManager);
  certificateManager.verifyCertificate = (chain, options) =>
    verify(chain, { ...options, ignoreMissingRevocationList: true });
  return { certificateFile, privateKeyFile: join(folder, `${name}.key`), certificateManager };
}

/** DER. @param {string} file @returns {Buffer[]} */
export function certificatesIn(file) {
  const pems = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return (pems ?? []).map((pem) => new X509Certificate(pem).raw);
}

/** Where the certificate says that its authority's list is: RFC 5280 §4.2.1.13. @param {Buffer} certificate DER */
function listNamedIn(certificate) {
  const named = /https?:\/\/[\w.:-]+\/ca\/crl\/cau_[a-z\d]{20}/.exec(certificate.toString('latin1'));
  if (named === null) throw new Error('the certificate names no revocation list');
  return named[0];
}
