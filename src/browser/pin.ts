import type { Frame, Locator } from 'playwright';

const engine = 'codegen-pin';
let registered: Promise<void> | undefined;
let lastPin = 0;

/** An element held fast, whatever becomes of its name, its place, or Playwright's references. */
export interface Pin {
  /** Matches the element as long as it is in its document. */
  locator: Locator;
  frame: Frame;
}

/** Registers the selector engine behind pins; it lives in Playwright's own world, where the page can't reach it. */
export function registerPins(): Promise<void> {
  registered ??= import('playwright').then(({ selectors }) =>
    selectors.register(engine, pinEngine, { contentScript: true }),
  );
  return registered;
}

/** Pins the element that a locator matches now; undefined where it matches none. */
export async function pinNow(locator: Locator): Promise<Pin | undefined> {
  const id = String(++lastPin);
  const found = locator.locator(`${engine}=set:${id}`);
  return (await found.count()) === 1 ? pinned(found, id) : undefined;
}

/** Pins the one element that a locator comes to match within the time. Throws as Playwright does where it matches none or many. */
export async function pinSoon(locator: Locator, timeoutMs: number): Promise<Pin> {
  const id = String(++lastPin);
  const found = locator.locator(`${engine}=set:${id}`);
  await found.waitFor({ state: 'attached', timeout: timeoutMs });
  return pinned(found, id);
}

async function pinned(found: Locator, id: string): Promise<Pin> {
  const inFrame = (frame: Frame): Pin => ({ frame, locator: frame.locator(`${engine}=get:${id}`) });
  const page = found.page();
  if (page.frames().length === 1) return inFrame(page.mainFrame());
  const handle = await found.elementHandle();
  const frame = await handle.ownerFrame();
  await handle.dispose();
  return inFrame(frame ?? page.mainFrame());
}

/** Runs in the page: `set:N` keeps the element it is asked on under N, `get:N` finds it again. */
function pinEngine(): { query: unknown; queryAll: unknown } {
  const pins = new Map<string, WeakRef<Element>>();
  const queryAll = (root: Node, body: string): Element[] => {
    const [operation, id = ''] = body.split(':');
    if (operation === 'set' && root instanceof Element) {
      pins.set(id, new WeakRef(root));
      return [root];
    }
    const element = pins.get(id)?.deref();
    return element?.isConnected === true ? [element] : [];
  };
  return { queryAll, query: (root: Node, body: string) => queryAll(root, body)[0] ?? null };
}
