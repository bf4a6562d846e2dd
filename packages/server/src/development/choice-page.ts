/** A person of the demonstration, as the ID token says it. */
export interface DevelopmentPerson {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

/** A page without script or style on which somebody says who they are. */
export function choicePage(
  action: string,
  hidden: Readonly<Record<string, string>>,
  people: readonly DevelopmentPerson[],
): string {
  const inputs = Object.entries(hidden)
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('\n      ');
  const buttons = people
    .map(
      ({ sub, name, email, groups }) =>
        `<p><button name="person" value="${escaped(sub)}">${escaped(name)}</button> ${escaped(email)}: ${escaped(groups.join(', '))}</p>`,
    )
    .join('\n      ');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sign in to Countersign on this machine</title>
  </head>
  <body>
    <h1>Who are you?</h1>
    <p>This is the built-in sign-in of <code>countersign dev</code>. It asks for no proof, and is for this machine alone.</p>
    <form method="post" action="${escaped(action)}">
      ${inputs}
      ${buttons}
    </form>
  </body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
