#!/usr/bin/env node
// `npm run build`: compiles every package, and bundles the programs whose code has changed.
import { endWithUs } from './run/child.mjs';
import { build } from './run/install.mjs';
import { ROOT } from './source/report.mjs';

endWithUs();
process.exitCode = await build(ROOT);
