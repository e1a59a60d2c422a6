// A file of its own, so that only these texts are loaded, and only when asked for.
export { en as default } from 'vuetify/locale'
