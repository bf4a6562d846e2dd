import { parseSecret, webhookSecretKey } from '@countersign/protocol';
import { jwtIsLive } from './live-jwt.ts';

/** One kind of secret: how it looks, and what else has to be so. */
export interface SecretPattern {
  /** Of the kind, for programs: `aws-access-key-id`. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** What it cannot be without, or one of several: looked for first, because that is quick. */
  readonly hints: readonly string[];
  /** With the flag `g`. Its group `secret`, or else all that matched, is the secret. */
  readonly pattern: RegExp;
  /** How many of its first characters say what it is and help nobody else. */
  readonly shown: number;
  /** `now`: epoch ms. */
  readonly check?: (secret: string, now: number) => boolean;
  /** Made by an authority of this kind, which can be told of it. */
  readonly ours?: true;
}

/** No letter or digit before or behind: a part of a longer word is something else. */
const word = (body: string): RegExp => new RegExp(`(?<![A-Za-z0-9_])(?:${body})(?![A-Za-z0-9_])`, 'g');
/** The same where the secret itself may have dashes. */
const dashed = (body: string): RegExp => new RegExp(`(?<![A-Za-z0-9_-])(?:${body})(?![A-Za-z0-9_-])`, 'g');

const isOurs = (secret: string): boolean => parseSecret(secret) !== undefined;

/** What vendors publish of how their secrets begin and how long they are. Ours have a checksum, so that nothing else is one. */
export const SECRET_PATTERNS: readonly SecretPattern[] = [
  {
    id: 'countersign-client-secret',
    name: 'Countersign client secret',
    hints: ['csk_'],
    pattern: word('csk_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}'),
    shown: 12,
    check: isOurs,
    ours: true,
  },
  {
    id: 'countersign-api-key',
    name: 'Countersign API key',
    hints: ['cak_'],
    pattern: word('cak_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}'),
    shown: 12,
    check: isOurs,
    ours: true,
  },
  {
    id: 'countersign-initial-access-token',
    name: 'Countersign initial access token',
    hints: ['cit_'],
    pattern: word('cit_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}'),
    shown: 12,
    check: isOurs,
    ours: true,
  },
  {
    id: 'countersign-webhook-secret',
    name: 'Countersign webhook secret',
    hints: ['whsec_'],
    pattern: word('whsec_[0-9A-Za-z]{44}'),
    shown: 6,
    check: (secret) => webhookSecretKey(secret) !== undefined,
    ours: true,
  },
  {
    id: 'webhook-secret',
    name: 'Webhook signing secret',
    hints: ['whsec_'],
    pattern: /(?<![A-Za-z0-9_])whsec_[A-Za-z0-9+/]{32,88}={0,2}(?![A-Za-z0-9+/=])/g,
    shown: 6,
    check: (secret) => webhookSecretKey(secret) === undefined,
  },
  {
    id: 'aws-access-key-id',
    name: 'AWS access key',
    hints: ['AKIA', 'ASIA'],
    pattern: word('A(?:KIA|SIA)[A-Z2-7]{16}'),
    shown: 4,
  },
  {
    id: 'aws-secret-access-key',
    name: 'AWS secret access key',
    hints: ['ecret', 'ECRET'],
    pattern: /aws.{0,20}?secret.{0,20}?[=:]\s*["']?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    shown: 0,
  },
  {
    id: 'github-token',
    name: 'GitHub token',
    hints: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    pattern: word('gh[pousr]_[A-Za-z0-9]{36,251}'),
    shown: 4,
  },
  {
    id: 'github-fine-grained-token',
    name: 'GitHub fine-grained token',
    hints: ['github_pat_'],
    pattern: word('github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}'),
    shown: 11,
  },
  {
    id: 'gitlab-token',
    name: 'GitLab token',
    hints: [
      'glpat-',
      'gldt-',
      'glrt-',
      'glrtr-',
      'glcbt-',
      'glptt-',
      'glft-',
      'glsoat-',
      'glimt-',
      'glagent-',
      'gloas-',
    ],
    pattern: dashed('gl(?:pat|dt|rt|rtr|cbt|ptt|ft|soat|imt|agent|oas)-[A-Za-z0-9_.=-]{20,300}'),
    shown: 6,
  },
  {
    id: 'slack-token',
    name: 'Slack token',
    hints: ['xox', 'xapp-'],
    pattern: dashed(
      '(?:xox[abeoprs]-(?:[0-9A-Za-z]{1,40}-){1,6}[0-9A-Za-z]{12,200}|xapp-\\d-[A-Z0-9]{8,20}-\\d{8,20}-[a-f0-9]{32,80})',
    ),
    shown: 5,
  },
  {
    id: 'slack-webhook',
    name: 'Slack incoming webhook',
    hints: ['hooks.slack.com'],
    pattern: /https:\/\/hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9/_+-]{30,120}/g,
    shown: 23,
  },
  {
    id: 'google-api-key',
    name: 'Google API key',
    hints: ['AIza'],
    pattern: dashed('AIza[0-9A-Za-z_-]{35}'),
    shown: 4,
  },
  {
    id: 'google-oauth-client-secret',
    name: 'Google OAuth client secret',
    hints: ['GOCSPX-'],
    pattern: dashed('GOCSPX-[0-9A-Za-z_-]{28}'),
    shown: 7,
  },
  {
    id: 'azure-client-secret',
    name: 'Microsoft Entra client secret',
    hints: ['Q~'],
    pattern: /(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])/g,
    shown: 0,
  },
  {
    id: 'azure-storage-key',
    name: 'Azure storage account key',
    hints: ['AccountKey='],
    pattern: /AccountKey=(?<secret>[A-Za-z0-9+/]{86}==)/g,
    shown: 0,
  },
  {
    id: 'stripe-key',
    name: 'Stripe key',
    hints: ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'],
    pattern: word('[sr]k_(?:live|test)_[0-9A-Za-z]{24,247}'),
    shown: 8,
  },
  {
    id: 'npm-token',
    name: 'npm token',
    hints: ['npm_'],
    pattern: word('npm_[A-Za-z0-9]{36}'),
    shown: 4,
  },
  {
    id: 'pypi-token',
    name: 'PyPI token',
    hints: ['pypi-AgE'],
    pattern: dashed('pypi-AgE[A-Za-z0-9_-]{50,1000}'),
    shown: 5,
  },
  {
    id: 'docker-token',
    name: 'Docker Hub token',
    hints: ['dckr_'],
    pattern: dashed('dckr_[op]at_[A-Za-z0-9_-]{27,40}'),
    shown: 9,
  },
  {
    id: 'vault-token',
    name: 'HashiCorp Vault token',
    hints: ['hvs.', 'hvb.', 'hvr.'],
    pattern: dashed('hv[sbr]\\.[A-Za-z0-9_-]{24,300}'),
    shown: 4,
  },
  {
    id: 'digitalocean-token',
    name: 'DigitalOcean token',
    hints: ['_v1_'],
    pattern: word('do[opr]_v1_[a-f0-9]{64}'),
    shown: 7,
  },
  {
    id: 'sendgrid-key',
    name: 'SendGrid API key',
    hints: ['SG.'],
    pattern: dashed('SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}'),
    shown: 3,
  },
  {
    id: 'private-key',
    name: 'Private key',
    hints: ['PRIVATE KEY-----'],
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,10} ){0,2}PRIVATE KEY-----(?:\\r|\\n|\s){1,8}[A-Za-z0-9+/=:, -]{40,100}/g,
    shown: 10,
  },
  {
    id: 'jwt',
    name: 'JSON Web Token of an issuer',
    hints: ['eyJ'],
    pattern: dashed('eyJ[A-Za-z0-9_-]{8,2000}\\.eyJ[A-Za-z0-9_-]{8,6000}\\.[A-Za-z0-9_-]{20,1400}'),
    shown: 3,
    check: jwtIsLive,
  },
];
