// The face of @countersign/tlog.
export { CanonicalJsonError, type CanonicalJsonFault, canonicalJson } from './canonical-json.ts';
