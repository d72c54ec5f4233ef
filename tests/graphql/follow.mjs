// node follow.mjs URL TOKEN AFTER COUNT BREAK_AFTER: follows events with the `graphql-ws` client behind position AFTER until it
// has seen COUNT, and prints the position of each. Every BREAK_AFTER events the connection breaks, as networks do, and
// the client connects again and goes on behind what it saw last.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, after, count, breakAfter] = process.argv.slice(2);
const query = 'subscription ($after: LogPosition) { events(after: $after) { position event } }';
let last = after;
let seen = 0;
while (seen < Number(count)) {
  let socket;
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on: { connected: (connected) => (socket = connected) },
  });
  try {
    let here = 0;
    for await (const { data, errors } of client.iterate({ query, variables: { after: last } })) {
      if (errors) throw new Error(JSON.stringify(errors));
      last = data.events.position;
      console.log(last);
      seen += 1;
      here += 1;
      if (seen === Number(count)) break;
      if (here === Number(breakAfter)) socket.terminate();
    }
  } catch (lost) {
    // 1006: the connection broke. Anything else is the server's doing.
    if (lost.code !== 1006) throw lost;
  }
  await client.dispose();
}
