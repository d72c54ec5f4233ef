// node ask.mjs URL TOKEN COUNT DOCUMENT [VARIABLES]: sends one operation with the `graphql-ws` client and prints what comes back,
// at most COUNT answers, one JSON text a line: an answer, or `{"refused": …}` with the errors of a request that was not
// executed, or `{"closed": …}` with how the server closed the connection.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, count, query, variables = '{}'] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
  retryAttempts: 0,
});
try {
  let seen = 0;
  for await (const answer of client.iterate({ query, variables: JSON.parse(variables) })) {
    console.log(JSON.stringify(answer));
    seen += 1;
    if (seen === Number(count)) break;
  }
} catch (refused) {
  const said = Array.isArray(refused) ? { refused } : { closed: { code: refused.code, reason: refused.reason } };
  console.log(JSON.stringify(said));
}
await client.dispose();
