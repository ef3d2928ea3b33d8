import path from 'node:path';

/** Environment variables that Node, Playwright and browsers need on any system, in upper case. */
const needed = new Set(
  `PATH HOME USER LOGNAME SHELL TMPDIR TEMP TMP LANG LANGUAGE LC_ALL LC_CTYPE TZ
  DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS
  USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT
  HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY NODE_EXTRA_CA_CERTS PLAYWRIGHT_BROWSERS_PATH`.split(/\s+/),
);

/**
 * A minimal environment for a process that runs tests: it contains no secrets of the server, and `PATH` only has absolute
 * directories, so that no program of the workspace is run by accident.
 */
export function childEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const absolute = (value = ''): string =>
    value
      .split(path.delimiter)
      .filter((directory) => path.isAbsolute(directory))
      .join(path.delimiter);
  return Object.fromEntries(
    Object.entries(own)
      .filter(([name]) => needed.has(name.toUpperCase()))
      .map(([name, value]) => [name, name.toUpperCase() === 'PATH' ? absolute(value) : value]),
  );
}
