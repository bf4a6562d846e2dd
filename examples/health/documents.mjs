// A hospital's record API and who may see what of it. Scopes are named as SMART on FHIR names those of system clients:
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { access, document, identityWithSecret } from '../stage/telling.mjs';

export const RECORDS = 'https://records.hospital.example';

/** By route, the one scope that opens it. */
export const ROUTES = {
  'POST /observations': { scope: 'system/Observation.c', answer: { stored: 'observation' } },
  'GET /observations': { scope: 'system/Observation.r', answer: { observations: ['HbA1c 41 mmol/mol'] } },
  'GET /claims': { scope: 'system/Claim.r', answer: { claims: ['consultation, 12 May'] } },
};

export const documents = () => [
  document('ResourceServer', 'records', {
    identifier: RECORDS,
    scopes: [
      { name: 'system/Observation.c', description: 'hand in results', sensitivity: 2 },
      { name: 'system/Observation.r', description: 'read results', sensitivity: 3 },
      { name: 'system/Claim.r', description: 'read what was billed', sensitivity: 2 },
    ],
    // A token that leaks is worth little.
    token: { lifetime: 60 },
  }),
  ...identityWithSecret('ehr', { purpose: 'shows a patient’s record to those who treat' }),
  ...identityWithSecret('laboratory', { purpose: 'hands in results' }),
  ...identityWithSecret('insurer', { kind: 'third_party', purpose: 'checks what was billed' }),
  access('ehr', RECORDS, ['system/Observation.c', 'system/Observation.r'], 'treatment'),
  access('laboratory', RECORDS, ['system/Observation.c'], 'results, and nothing of what is there'),
  access('insurer', RECORDS, ['system/Claim.r'], 'billing, and no results'),
];
