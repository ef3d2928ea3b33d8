import type { APIRequestContext, Page } from 'playwright';

/** What sends the requests of API steps: it shares the cookies of the page. */
export function apiRequests(page: Page): APIRequestContext {
  return page.request;
}
