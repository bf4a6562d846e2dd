import type { SecretCall, Snippet } from './call.ts';

export function javaSnippet(call: SecretCall): Snippet {
  const trusting = call.caFile !== undefined;
  const form = [
    'grant_type=client_credentials',
    `resource=${encodeURIComponent(call.resource)}`,
    `scope=${encodeURIComponent(call.scope)}`,
  ].join('&');
  return {
    language: 'java',
    title: 'Java (17 or later, standard library; save as Call.java, run with: java Call.java)',
    code: [
      ...(trusting ? [`import java.io.FileInputStream;`] : []),
      `import java.net.URI;`,
      `import java.net.http.HttpClient;`,
      `import java.net.http.HttpRequest;`,
      `import java.net.http.HttpResponse.BodyHandlers;`,
      `import java.nio.file.Files;`,
      `import java.nio.file.Path;`,
      ...(trusting
        ? [`import java.security.KeyStore;`, `import java.security.cert.CertificateFactory;`]
        : []),
      `import java.util.Base64;`,
      `import java.util.regex.Pattern;`,
      ...(trusting ? [`import javax.net.ssl.SSLContext;`, `import javax.net.ssl.TrustManagerFactory;`] : []),
      ``,
      `class Call {`,
      `  public static void main(String[] args) throws Exception {`,
      ...(trusting
        ? [
            `    var trusted = KeyStore.getInstance("PKCS12");`,
            `    trusted.load(null, null);`,
            `    try (var pem = new FileInputStream(${JSON.stringify(call.caFile)})) {`,
            `      trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));`,
            `    }`,
            `    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());`,
            `    trust.init(trusted);`,
            `    var tls = SSLContext.getInstance("TLS");`,
            `    tls.init(null, trust.getTrustManagers(), null);`,
            `    var authority = HttpClient.newBuilder().sslContext(tls).build();`,
          ]
        : [`    var authority = HttpClient.newHttpClient();`]),
      `    var secret = Files.readString(Path.of(${JSON.stringify(call.proof.file)})).strip();`,
      `    var basic = Base64.getEncoder().encodeToString((${JSON.stringify(`${call.clientId}:`)} + secret).getBytes());`,
      `    var ask = HttpRequest.newBuilder(URI.create(${JSON.stringify(call.tokenEndpoint)}))`,
      `        .header("Authorization", "Basic " + basic)`,
      `        .header("Content-Type", "application/x-www-form-urlencoded")`,
      `        .POST(HttpRequest.BodyPublishers.ofString(${JSON.stringify(form)}))`,
      `        .build();`,
      `    var answer = authority.send(ask, BodyHandlers.ofString()).body();`,
      `    var found = Pattern.compile("\\"access_token\\"\\\\s*:\\\\s*\\"([^\\"]+)\\"").matcher(answer);`,
      `    if (!found.find()) throw new IllegalStateException(answer);`,
      ``,
      `    var call = HttpRequest.newBuilder(URI.create(${JSON.stringify(call.url)}))`,
      `        .header("Authorization", "Bearer " + found.group(1))`,
      `        .build();`,
      `    var response = HttpClient.newHttpClient().send(call, BodyHandlers.ofString());`,
      `    System.out.println(response.statusCode() + " " + response.body());`,
      `  }`,
      `}`,
    ].join('\n'),
  };
}
