// The face of @countersign/cose.
export {
  ACE,
  ACE_GRANT_TYPE,
  ACE_MEDIA_TYPE,
  ACE_PROFILE,
  ACE_TOKEN_TYPE,
  aceErrorNumber,
  CONTENT_FORMAT,
  HINT,
  INTROSPECTION,
} from './ace.ts';
export { AES_CCM_16_64_128, ES256 } from './cose-algorithm.ts';
export { namedSymmetricKid, readEc2Key, symmetricCoseKey, symmetricKid } from './cose-key.ts';
export {
  type CoseFault,
  type CoseKind,
  type CoseMessage,
  type CoseResult,
  HEADER,
  readCose,
} from './cose-message.ts';
export {
  type AccessCwtClaims,
  CNF,
  type CwtFault,
  type CwtResult,
  readCwtClaims,
  writeCwtClaims,
} from './cwt-claims.ts';
export { openEncrypt0 } from './encrypt0.ts';
export { type CoseSecretKey, verifyMac0 } from './mac0.ts';
export { derivePopKey, kidOfPskIdentity, POP_KEY_BYTES, pskIdentity } from './pop-key.ts';
export { type CoseVerificationKey, draftSign1, type Sign1Draft, verifySign1 } from './sign1.ts';
export {
  type CborFault,
  type CborKey,
  type CborLimits,
  type CborMap,
  type CborResult,
  type CborValue,
  decodeStrict,
  encodeCbor,
  isCborMap,
  TOKEN_LIMITS,
} from './strict-cbor.ts';
