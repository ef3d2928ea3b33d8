import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { reportStyle } from '../session/verification/report.js';
import { addAccess, addPeerAccess } from './access.js';
import { addActivity } from './activity.js';
import { addApprovals } from './approvals.js';
import { failureResponse, Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import { addPeerSessions } from './peers.js';
import { addPolicy } from './policy.js';
import { addPolicyFile } from './policy-file.js';
import { addSessions } from './sessions.js';
import { addTests } from './tests.js';

const reportStyleHash = createHash('sha256').update(reportStyle).digest('base64');

const files = { 'page.js': 'text/javascript; charset=utf-8', 'page.css': 'text/css; charset=utf-8' };

/** The web UI at `/`, and its API under `/ui/api`. */
export function createPage(options: PageOptions): PageApp {
  const app: PageApp = new Hono();
  app.onError(failureResponse);
  app.notFound(() =>
    failureResponse(new Refusal(404, 'There is no page at this address.', 'Open / instead.')),
  );
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // A report is shown in a frame, which has this policy too.
        styleSrc: ["'self'", `'sha256-${reportStyleHash}'`],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: 'DENY',
      strictTransportSecurity: false,
    }),
    async ({ header }, next) => {
      header('Cache-Control', 'no-store');
      await next();
    },
  );
  app.get('/', ({ html }) => html(document));
  for (const [file, type] of Object.entries(files))
    app.get(`/ui/${file}`, async ({ body }) => {
      const content = await readFile(new URL(`../ui/page/${file}`, import.meta.url), 'utf8');
      return body(content, 200, { 'Content-Type': type });
    });
  if (options.peerSecret === undefined) addAccess(app, options);
  else addPeerAccess(app, options, options.peerSecret);
  if (options.peers === undefined) addSessions(app, options);
  else addPeerSessions(app, options, options.peers);
  addApprovals(app, options);
  addActivity(app, options);
  addPolicy(app, options);
  addPolicyFile(app, options);
  addTests(app, options);
  return app;
}

const document = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>Codegen sessions</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/ui/page.css">
</head>
<body><div id="app"></div><script type="module" src="/ui/page.js"></script></body>
</html>
`;
