import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Application } from './application.js';
import { bundle, instrument, readSources } from './instrument.js';
import { installPackages } from './packages.js';
import { serveTexts } from './site.js';

const execute = promisify(execFile);
const packages = ['react-shopping-cart@1.9.5', 'react@16.14.0', 'react-dom@16.14.0', 'sucrase@3.35.0'];

/** The example of the package's README, with three products and a choice of currency. It has no mutants. */
const page = `
import React, { useState } from 'react';
import { render } from 'react-dom';
import { Provider } from 'react-redux';
import { combineReducers, createStore } from 'redux';
import { Cart, CheckoutButton, Product, cartLocalization, cartReducer, setCartCurrency } from 'react-shopping-cart/src';

const { getDefaultLocalization } = cartLocalization;
const words = {
  color: 'Color', size: 'Size', red: 'Red', green: 'Green', yellow: 'Yellow (+{cost, number, CUR})',
  small: 'Small', large: 'Large (+{cost, number, CUR})',
  iPadCase: 'iPad case', headphones: 'Headphones', backpack: 'Backpack', GBP: '£', EUR: '€', USD: '$',
};
const cartWords = { ...words, yellow: 'Yellow', large: 'Large' };
const products = [
  {
    id: 'ipad-case', name: 'iPadCase', path: '/shop/ipad-case/', imageSrc: '',
    properties: { color: ['red', 'green', { additionalCost: { GBP: 1, EUR: 2, USD: 3.5 }, value: 'yellow' }] },
    propertiesToShowInCart: ['color'], prices: { GBP: 70, EUR: 80, USD: 90 },
  },
  {
    id: 'headphones', name: 'headphones', path: '/shop/headphones/', imageSrc: '',
    properties: {}, propertiesToShowInCart: [], prices: { GBP: 40, EUR: 45, USD: 49.99 },
  },
  {
    id: 'backpack', name: 'backpack', path: '/shop/backpack/', imageSrc: '',
    properties: { size: ['small', { additionalCost: { GBP: 10, EUR: 12, USD: 15 }, value: 'large' }] },
    propertiesToShowInCart: ['size'], prices: { GBP: 55, EUR: 60, USD: 65 },
  },
];
const store = createStore(combineReducers({ cart: cartReducer }));
store.dispatch(setCartCurrency('USD'));
const localize = { product: getDefaultLocalization('product', 'en', words), cart: getDefaultLocalization('cart', 'en', cartWords),
  checkout: getDefaultLocalization('checkoutButton', 'en', words) };

function App() {
  const [currency, setCurrency] = useState('USD');
  const choose = ({ target }) => { setCurrency(target.value); store.dispatch(setCartCurrency(target.value)); };
  return (
    <div className="container">
      <h1>Outfitters</h1>
      <label>Currency <select value={currency} onChange={choose}>{['USD', 'EUR', 'GBP'].map((code) => <option key={code}>{code}</option>)}</select></label>
      {products.map((product) => (
        <div className="card" key={product.id}>
          <Product {...product} descriptionNode={<h4>{words[product.name]}</h4>} getLocalization={localize.product} />
        </div>
      ))}
      <div className="cart">
        <Cart getLocalization={localize.cart} checkoutButton={<CheckoutButton getLocalization={localize.checkout} checkoutURL="/checkout.html" />} />
      </div>
    </div>
  );
}
render(<Provider store={store}><App /></Provider>, document.getElementById('root'));
`;

const document = (body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Outfitters</title><body>${body}</body></html>`;

const card = (product: string): string => `locator('.card').filter({ hasText: '${product}' })`;
const item = (product: string): string => `locator('.list-group-item').filter({ hasText: '${product}' })`;
const checkout = "locator('.cart').getByRole('button', { name: 'Checkout' })";

export const shop: Application = {
  name: 'shop',
  kind: 'react-shopping-cart: lists and money, plain divs',
  title: 'fills the cart and changes it',
  url: '/',
  flow: [
    { action: 'selectOption', target: `${card('iPad case')}.getByRole('combobox')`, values: 'yellow' },
    { action: 'fill', target: `${card('iPad case')}.getByRole('spinbutton')`, value: '2' },
    { action: 'click', target: `${card('iPad case')}.getByRole('button', { name: 'Add to cart' })` },
    { action: 'click', target: `${card('Headphones')}.getByRole('button', { name: 'Add to cart' })` },
    { action: 'selectOption', target: `${card('Backpack')}.getByRole('combobox')`, values: 'large' },
    { action: 'click', target: `${card('Backpack')}.getByRole('button', { name: 'Add to cart' })` },
    { action: 'click', target: `${card('Backpack')}.getByRole('button', { name: 'Add to cart' })` },
    { action: 'fill', target: `${item('Headphones')}.getByRole('spinbutton')`, value: '3' },
    { action: 'click', target: `${item('iPad case')}.getByRole('button', { name: 'Remove' })` },
    { action: 'selectOption', target: "getByLabel('Currency')", values: 'EUR' },
    { action: 'click', target: checkout },
  ],
  agent: [
    {
      after: 0,
      expect: { target: card('iPad case'), matcher: 'toContainText', expected: 'Price: $93.50' },
    },
    { after: 2, expect: { target: item('iPad case'), matcher: 'toContainText', expected: '$187.00' } },
    {
      after: 3,
      expect: { target: checkout, matcher: 'toHaveText', expected: 'Checkout (Grand total $236.99)' },
    },
    { after: 6, expect: { target: "locator('.list-group-item')", matcher: 'toHaveCount', expected: 3 } },
    { after: 6, expect: { target: item('Backpack'), matcher: 'toContainText', expected: '$160.00' } },
    { after: 7, expect: { target: item('Headphones'), matcher: 'toContainText', expected: '$149.97' } },
    { after: 8, expect: { target: item('iPad case'), matcher: 'toHaveCount', expected: 0 } },
    {
      after: 9,
      expect: { target: checkout, matcher: 'toHaveText', expected: 'Checkout (Grand total €279.00)' },
    },
  ],
  async start() {
    const modules = await installPackages('shop', packages);
    const source = path.join(modules, 'react-shopping-cart/src');
    const plain = path.join(modules, '.plain/react-shopping-cart/src');
    // The package ships its source with Flow's types; sucrase blanks them, so lines stay.
    const sucrase = path.join(modules, 'sucrase/bin/sucrase');
    const options = ['--out-dir', plain, '--transforms', 'flow,jsx', '--jsx-runtime', 'preserve', '--quiet'];
    await mkdir(plain, { recursive: true });
    await execute(process.execPath, [sucrase, source, ...options]);
    const names = await readdir(plain, { recursive: true });
    const sources = await readSources(
      plain,
      names.filter((name) => name.endsWith('.js') && !name.endsWith('types.js')),
    );
    const { files, mutants } = await instrument(sources);
    const script = await bundle(source, new Map([...files, ['types.js', '']]), {
      stdin: { contents: page, loader: 'jsx', resolveDir: path.dirname(modules) },
    });
    const site = await serveTexts({
      '/index.html': document(`<div id="root"></div><script src="/app.js"></script>`),
      '/app.js': script,
      '/checkout.html': document('<h1>Checkout</h1>'),
    });
    return { baseURL: site.url, mutants, close: () => site.close() };
  },
};
