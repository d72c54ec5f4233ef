// node audit.mjs URL: the audit of the `graphql-http` package. Names what is not as the specification of GraphQL over HTTP
// wants or recommends it, and fails then.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  results.push(result);
  if (result.status !== 'ok') console.log(`${result.status}: ${result.id} ${result.name}: ${result.reason}`);
  if (result.response?.body && !result.response.bodyUsed) await result.response.body.cancel();
}
const passed = results.filter((result) => result.status === 'ok').length;
console.log(`${passed} of ${results.length} passed`);
process.exitCode = passed === results.length ? 0 : 1;
