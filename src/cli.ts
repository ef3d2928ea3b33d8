#!/usr/bin/env node
// Nothing is imported statically: an older Node.js would fail on the import before it could print the message.
if (Number.parseInt(process.versions.node) < 20) {
  process.stderr.write(`codegen-session-mcp: Node.js 20 or later is required; this is ${process.version}.\n`);
  process.exitCode = 1;
} else void run(process.argv.slice(2));

/** Without arguments, as most clients start it, the server starts without loading the commands. */
async function run(args: string[]): Promise<void> {
  try {
    await import('./verify/compile-cache.js');
    if (args.length > 0) {
      const { runCommand } = await import('./cli/program.js');
      await runCommand(args);
    } else {
      const { serveStdio } = await import('./server/stdio.js');
      await serveStdio({ workspace: process.cwd(), name: undefined, grant: 'local' });
    }
  } catch (error) {
    const { CodegenError, messageOf } = await import('./model/errors.js');
    process.stderr.write(`codegen-session-mcp: ${messageOf(error)}\n`);
    if (error instanceof CodegenError && error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
    process.exitCode = 1;
  }
}
