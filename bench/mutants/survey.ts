import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Application } from './application.js';
import { bundle, instrument, readSources } from './instrument.js';
import { installPackages } from './packages.js';
import { serveTexts } from './site.js';

const packages = ['winterfell@1.1.4', 'bootstrap@3.3.5', 'jquery@2.1.4'];

const login = "locator('#login-form')";
const form = "locator('#form')";
const button = (name: string): string => `${form}.getByRole('button', { name: '${name}' })`;
const errors = `${form}.locator('.alert')`;

export const survey: Application = {
  name: 'survey',
  kind: 'winterfell: forms and validation',
  title: 'answers the survey after mistakes',
  url: '/',
  flow: [
    { action: 'fill', target: `${login}.getByLabel('Email Address')`, value: 'ned' },
    { action: 'fill', target: `${login}.getByLabel('Password', { exact: true })`, value: 'direwolf' },
    { action: 'fill', target: `${login}.getByLabel('Confirm Password')`, value: 'dragon' },
    { action: 'click', target: `${login}.getByRole('button', { name: 'Submit' })` },
    { action: 'click', target: button('Next') },
    { action: 'click', target: `${form}.getByText('No', { exact: true })` },
    { action: 'click', target: button('Next') },
    { action: 'fill', target: `${form}.getByLabel('First Name')`, value: 'Arya' },
    { action: 'click', target: button('Subscribe') },
    { action: 'fill', target: `${form}.getByLabel('Last Name')`, value: 'Stark' },
    { action: 'fill', target: `${form}.getByLabel('Email Address')`, value: 'arya@winterfell.example' },
    { action: 'check', target: `${form}.getByRole('checkbox')` },
    { action: 'onDialog', accept: true },
    { action: 'click', target: button('Subscribe') },
    { action: 'reload' },
    { action: 'click', target: `${form}.getByText('Yes', { exact: true })` },
    { action: 'fill', target: `${form}.getByPlaceholder('Email Address')`, value: 'bran' },
    { action: 'press', target: `${form}.getByPlaceholder('Email Address')`, key: 'Tab' },
    { action: 'fill', target: `${form}.getByPlaceholder('Email Address')`, value: 'bran@winterfell.example' },
    { action: 'click', target: button('Next') },
    { action: 'selectOption', target: `${form}.getByRole('combobox')`, values: 'female' },
    { action: 'click', target: `${form}.getByText('21-30 Hours')` },
    { action: 'click', target: `${form}.getByText('Laptop', { exact: true })` },
    { action: 'click', target: `${form}.getByText('Other', { exact: true })` },
    { action: 'click', target: button('Submit') },
    { action: 'fill', target: `${form}.getByLabel('Please name the other OS')`, value: 'Plan 9' },
    {
      action: 'fill',
      target: `${form}.getByLabel('What do you like about this OS?')`,
      value: 'Everything is a file',
    },
    { action: 'onDialog', accept: true },
    { action: 'click', target: button('Submit') },
  ],
  agent: [
    {
      after: 3,
      expect: { target: login, matcher: 'toContainText', expected: 'Confirm Password must match Password' },
    },
    {
      after: 4,
      expect: { target: errors, matcher: 'toHaveText', expected: 'Please enter one of the allowed values' },
    },
    {
      after: 6,
      expect: { target: form, matcher: 'toContainText', expected: 'how about we get you subscribed?' },
    },
    { after: 8, expect: { target: errors, matcher: 'toHaveCount', expected: 3 } },
    { after: 11, expect: { target: errors, matcher: 'toHaveCount', expected: 0 } },
    {
      after: 17,
      expect: { target: errors, matcher: 'toHaveText', expected: 'Please enter a valid email address' },
    },
    {
      after: 19,
      expect: {
        target: form,
        matcher: 'toContainText',
        expected: 'Which of the following devices do you own?',
      },
    },
    { after: 24, expect: { target: errors, matcher: 'toHaveCount', expected: 2 } },
  ],
  async start() {
    const modules = await installPackages('survey', packages);
    const folder = path.join(modules, 'winterfell');
    const names = await readdir(path.join(folder, 'src'), { recursive: true });
    const scripts = names.filter((name) => name.endsWith('.js')).map((name) => `src/${name}`);
    const { files, mutants } = await instrument(
      await readSources(folder, [
        ...scripts,
        'examples/app.js',
        'examples/schema.js',
        'examples/loginSchema.js',
      ]),
    );
    const script = await bundle(folder, files, { entryPoints: [path.join(folder, 'examples/app.js')] });
    const read = (name: string): Promise<string> => readFile(path.join(modules, name), 'utf8');
    const page = await read('winterfell/examples/index.html');
    const site = await serveTexts({
      // The example loads these from elsewhere, and a button of GitHub's, which is left out.
      '/index.html': page
        .replaceAll('https://maxcdn.bootstrapcdn.com/bootstrap/3.3.5/', '/')
        .replace('https://code.jquery.com/', '/')
        .replace(/<script async.*<\/script>|<link rel="shortcut icon".*>/g, ''),
      '/build/app.js': script,
      '/build/prism.js': await read('winterfell/examples/build/prism.js'),
      '/build/jsonview.js': await read('winterfell/examples/build/jsonview.js'),
      '/css/example.css': await read('winterfell/examples/css/example.css'),
      '/css/bootstrap.min.css': await read('bootstrap/dist/css/bootstrap.min.css'),
      '/js/bootstrap.min.js': await read('bootstrap/dist/js/bootstrap.min.js'),
      '/jquery-2.1.4.min.js': await read('jquery/dist/jquery.min.js'),
    });
    return { baseURL: site.url, mutants, close: () => site.close() };
  },
};
