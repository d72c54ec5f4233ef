// node closes.mjs URL MESSAGE…: sends messages on a socket, the first as soon as it is open, those behind `connection_init`
// once it is answered, and prints the code that the server closes it with, its name in the protocol, and the reason.
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import WebSocket from 'ws';

const [url, ...messages] = process.argv.slice(2);
const socket = new WebSocket(url, GRAPHQL_TRANSPORT_WS_PROTOCOL);
const send = () => {
  while (messages.length > 0) {
    const message = messages.shift();
    socket.send(message);
    if (message.includes('connection_init')) return;
  }
};
socket.on('open', send);
socket.on('message', send);
socket.on('close', (code, reason) => console.log(`${code} ${CloseCode[code] ?? 'unknown'}: ${reason}`));
