// A certified OpenID provider on this machine, where everybody is who their login hint says. Prints its issuer.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'charthouse',
      client_secret: 'a secret of both',
      // A native client may use any port of the loopback address (RFC 8252).
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/auth/oidc/callback'],
    }],
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
    cookies: { keys: ['of this test'] },
    features: { devInteractions: { enabled: false } },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({
        sub: `subject-of-${id}`,
        preferred_username: id,
        email: `${id}@example.com`,
        email_verified: true,
      }),
    }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
      return answer(request, response);
    }
    const { params } = await provider.interactionDetails(request, response);
    const agreed = { login: { accountId: params.login_hint }, consent: {} };
    return provider.interactionFinished(request, response, agreed);
  });
  console.log(issuer);
});
