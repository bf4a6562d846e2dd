// Mail to a server that takes it: RFC 5321, RFC 3207, RFC 4954. The only file that names the mail library.
import { isIP } from 'node:net';
import { createTransport } from 'nodemailer';

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, as on port 465. */
  readonly implicitTls: boolean;
  /** Without TLS nothing is sent, not even a password. False: declared, or on this machine. */
  readonly requireTls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** PEM certificates that are trusted in place of the platform's. */
  readonly ca: string | undefined;
  /** The address that mails come from. */
  readonly from: string;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** Plain text: whatever stands in it is shown and nothing of it is run. */
  readonly text: string;
  /** The same whenever this is sent again. */
  readonly messageId: string;
}

/** `refused`: this mail will not be taken, however often it comes. `failed`: the server could not take it now. */
export type MailResult =
  | { readonly kind: 'sent' }
  | { readonly kind: 'refused' | 'failed'; readonly reason: string };

export type SendMail = (mail: Mail) => Promise<MailResult>;

/** The library reads an address as a list of them, wherever it stands. */
const ONE_ADDRESS = /^[^\s\p{Cc}@<>"(),:;[\]\\]+@[^\s\p{Cc}@<>"(),:;[\]\\]+$/u;

const CONNECT_MS = 10_000;
const ANSWER_MS = 20_000;

export function createSmtp(settings: SmtpSettings): SendMail {
  const { host, port, user, password, from } = settings;
  const transport = createTransport({
    host,
    port,
    secure: settings.implicitTls,
    requireTLS: settings.requireTls && !settings.implicitTls,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: ANSWER_MS,
    // Nothing of a mail is a file or a URL to be read.
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: {
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    },
  });
  return async ({ to, subject, text, messageId }) => {
    if (!ONE_ADDRESS.test(to)) return { kind: 'refused', reason: 'not one address' };
    try {
      await transport.sendMail({
        from: { name: 'Countersign', address: from },
        to: { name: '', address: to },
        envelope: { from, to: [to] },
        subject,
        text,
        messageId,
        // RFC 3834 §5: nobody's absence is answered to a machine.
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      return { kind: 'sent' };
    } catch (error) {
      return resultOf(error as SmtpError);
    }
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
  readonly command?: string;
}

/** RFC 5321 §4.2.1: 5yz is for ever. About whom we are it is about all mails, not about this one. */
function resultOf({ code = 'ESOCKET', responseCode, command = '' }: SmtpError): MailResult {
  // What a server says may repeat what it was told: only its number is kept.
  const reason = responseCode === undefined ? code : `${code} ${responseCode}`;
  const aboutThisMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const lasting = responseCode !== undefined && responseCode >= 500 && !command.startsWith('MAIL');
  return { kind: aboutThisMail && lasting ? 'refused' : 'failed', reason };
}
