/** What the application calls itself to people: on its pages, and as a word that no password may be made from. */
export const APP_NAME = 'NestJS Secure API Starter';
