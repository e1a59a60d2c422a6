import './app/app.css'
import { createApp } from 'vue'
import App from './app/App.vue'
import { install } from './app/install'

const app = await install(createApp(App))
app.mount('#app')
