#!/usr/bin/env node
// The API that payments may read: node fraud-api.mjs
import { serveProtected } from '../stage/protected-api.mjs';

await serveProtected('https://fraud.example', {
  'GET /scores/42': { scope: 'fraud:read', answer: { payment: 42, score: 7 } },
  'POST /rules': { scope: 'fraud:write', answer: { rule: 'made' } },
});
