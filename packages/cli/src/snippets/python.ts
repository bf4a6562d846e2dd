import type { SecretCall, Snippet } from './call.ts';

export function pythonSnippet(call: SecretCall): Snippet {
  return {
    language: 'python',
    title: 'Python (standard library)',
    code: [
      `import base64, json, pathlib, ssl, urllib.parse, urllib.request`,
      ``,
      `tls = ssl.create_default_context(${call.caFile === undefined ? '' : `cafile=${JSON.stringify(call.caFile)}`})`,
      `secret = pathlib.Path(${JSON.stringify(call.proof.file)}).read_text().strip()`,
      `basic = base64.b64encode(f${JSON.stringify(`${call.clientId}:{secret}`)}.encode()).decode()`,
      `form = {"grant_type": "client_credentials", "resource": ${JSON.stringify(call.resource)}, "scope": ${JSON.stringify(call.scope)}}`,
      `request = urllib.request.Request(`,
      `    ${JSON.stringify(call.tokenEndpoint)},`,
      `    data=urllib.parse.urlencode(form).encode(),`,
      `    headers={"Authorization": f"Basic {basic}"},`,
      `)`,
      `with urllib.request.urlopen(request, context=tls) as answer:`,
      `    token = json.load(answer)["access_token"]`,
      ``,
      `call = urllib.request.Request(${JSON.stringify(call.url)}, headers={"Authorization": f"Bearer {token}"})`,
      `with urllib.request.urlopen(call) as answer:`,
      `    print(answer.status, answer.read().decode())`,
    ].join('\n'),
  };
}
