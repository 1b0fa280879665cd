// No validator badge: it would ask a server on the internet.
window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  // A group unfolds when it is chosen: all operations at once are slow.
  docExpansion: 'none',
  validatorUrl: null,
});
