"""Words by which the exports of shops name what is no ordinary sale, in the languages of `io.delivery.names`.

A word is compared as `reduced` writes it: small letters, without accents, signs and spaces.
"""

import re
import unicodedata
from typing import Literal

Meaning = Literal["sale", "void", "refund", "service"]


def reduced(text: str) -> str:
    """Write a word without what people write in many ways: case, accents, spaces, hyphens and other signs."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum() and not unicodedata.combining(letter))


def key(text: str) -> str:
    """What tells words apart: a word as `reduced` writes it, and a sign or a number as it stands."""
    return reduced(text) if any(letter.isalpha() for letter in text) else text.strip()


def _words(*lists: str) -> frozenset[str]:
    return frozenset(reduced(word) for words in lists for word in words.split(","))


# States of an order and types of a line. What is in none of them is a sale, and is listed for the reader to judge.
VOID = _words(
    "cancelled,canceled,cancellation,cancel,voided,void,failed,failure,declined,rejected,expired,abandoned,draft,test",
    "test order,refunded,fully refunded,full refund,returned,returned to seller,charged back,chargeback,lost",
    "unpaid,not paid,pending,pending payment,payment pending,awaiting payment,waiting payment,on hold,on-hold,overdue",
    "pending review,payment review,uncollectible,incomplete,unavailable,fraud,suspected fraud,checkout-draft,trash",
    "cancelado,cancelada,anulado,anulada,nao pago,nao autorizado,negado,recusado,recusada,reprovado",
    "devolvido,devolvida",
    "reembolsado,reembolsada,estornado,estornada,pendente,aguardando pagamento,aguardando,teste,rascunho,expirado",
    "no pagado,pago pendiente,pendiente,pendiente de pago,rechazado,rechazada,devuelto,devuelta,prueba,borrador",
    "fallido",
    "annule,annulee,rembourse,remboursee,retourne,retournee,refuse,refusee,paiement refuse,echoue,echouee,impaye",
    "impayee,en attente,en attente de paiement,en attente de reglement,brouillon,expiree,abandonne,abandonnee,non paye",
    "non payee",
    "storniert,annulliert,abgebrochen,erstattet,zuruckerstattet,zurueckerstattet,retourniert,zuruckgegeben,abgelehnt",
    "fehlgeschlagen,unbezahlt,nicht bezahlt,ausstehend,zahlung ausstehend,warten auf zahlung,entwurf,abgelaufen",
    "annullato,annullata,rimborsato,rimborsata,rifiutato,rifiutata,fallito,fallita,in attesa,in attesa di pagamento",
    "non pagato,non pagata,restituito,restituita,bozza,scaduto,scaduta",
    "geannuleerd,terugbetaald,geretourneerd,geweigerd,mislukt,in afwachting,wacht op betaling,niet betaald,onbetaald",
    "verlopen",
    "anulowane,anulowany,anulowana,zwrocone,zwrocony,odrzucone,nieudane,oczekujace,oczekuje na platnosc",
    "oczekuje na płatność,nieoplacone,nieopłacone,niezapłacone,szkic",
    "quotation,quote,estimate,proforma,angebot,kostenvoranschlag,orcamento,presupuesto,devis,preventivo,offerte,oferta",
)
SALE = _words(
    "renewal,subscription,paid,complete,completed,closed,shipped,delivered,fulfilled,unfulfilled,processing,processed,invoiced,approved",
    "authorized,partially refunded,partially fulfilled,partially paid,captured,succeeded,settled,active,ok,sale,sales",
    "order,invoice,purchase,item,product,payment,charge,shipped - delivered to buyer,new,in transit,picked up",
    "pago,paga,aprovado,aprovada,concluido,concluida,entregue,enviado,enviada,faturado,faturada",
    "em separacao,em transito",
    "finalizado,venda,pedido,produto,completado,pagado,entregado,facturado,facturada,venta,producto,autorizado",
    "paye,payee,termine,terminee,expedie,expediee,livre,livree,valide,validee,en cours de preparation,vente,commande",
    "bezahlt,abgeschlossen,versendet,versandt,verschickt,geliefert,zugestellt,erledigt,in bearbeitung,verkauf",
    "bestellung,auftrag,rechnung,pagato,pagata,spedito,spedita,consegnato,consegnata,evaso,evasa,in lavorazione",
    "vendita,ordine,fattura,betaald,voltooid,afgerond,verzonden,geleverd,bezorgd,verwerkt,in behandeling,verkoop",
    "factuur,oplacone,opłacone,zrealizowane,wyslane,wysłane,dostarczone,zakonczone,w realizacji,sprzedaz,zamowienie",
    "faktura",
)
REFUND = _words(
    "refund,refunds,return,returns,credit,credit note,creditnote,credit memo,creditmemo,cn,reversal,money back,rma",
    "sales return,return order,customer return,credit invoice,refund order,storno,gutschrift",
    "devolucao,estorno,reembolso,nota de credito,credito,troca,devolucion,abono,nota credito",
    "retour,remboursement,avoir,note de credit,retoure,rucksendung,ruecksendung,erstattung,stornorechnung,ruckgabe",
    "reso,rimborso,nota di credito,retourzending,creditnota,creditfactuur,terugbetaling,zwrot,korekta",
    "faktura korygująca",
)
SERVICE = _words(
    "shipping,postage,delivery,freight,carriage,handling,shipping fee,delivery fee,shipping charge,shipping cost,tax",
    "fee,fees,tip,gratuity,surcharge,payout,transfer,adjustment,service fee,transaction fee,shipping & handling",
    "frete,envio,taxa de entrega,entrega,custo de envio,gastos de envio,flete,impuesto,imposto,propina,gorjeta",
    "frais de port,frais de livraison,livraison,versand,versandkosten,porto,trinkgeld,spedizione,spese di spedizione",
    "verzendkosten,verzending,koszt dostawy,dostawa,przesyłka,przesylka,shipping line,versandposition",
)
SYSTEM = "wc"  # before WooCommerce's states
_WORD = re.compile(r"[^\W\d_]+")
MEANINGS: dict[Meaning, frozenset[str]] = {"sale": SALE, "void": VOID, "refund": REFUND, "service": SERVICE}

# Words that leave little doubt in a column of any name; "credit" may be a way to pay, and "pending" a parcel's state.
# A type of row is one of the first in full, and a state says one of the others among more: "payment failed".
CLEAR_REFUND = _words(
    "refund,refunds,return,sales return,customer return,credit note,credit memo,credit invoice,devolucao,devolucion",
    "estorno,reembolso,nota de credito,gutschrift,storno,stornorechnung,retoure,avoir,remboursement,retour,reso",
    "rimborso,nota di credito,creditnota,creditfactuur,terugbetaling,zwrot",
)
CLEAR_VOID = _words(
    "cancelled,canceled,voided,refunded,returned,failed,declined,chargeback,cancelado,cancelada,devolvido,devolvida",
    "estornado,recusado,anulado,anulada,rechazado,storniert,erstattet,retourniert,annule,annulee,rembourse,remboursee",
    "retournee,annullato,annullata,rimborsato,rimborsata,geannuleerd,terugbetaald,geretourneerd,anulowane,anulowano",
    "zwrocone,makulerad,annullerad,aterbetald,returnerad,annulleret,refunderet,returneret,kansellert,refundert,returnert",
    "iptal,stornovano,zruseno,отменен,отменено,отмена,возврат,已取消,已退款,キャンセル,返品",
)

# Answers that say nothing without their question: in a column "Returned" a yes is no sale, in one "Paid" it is one.
YES = _words("yes,y,true,t,1,x,sim,si,oui,ja,tak,verdadeiro,verdadero,vrai,wahr,vero,waar,prawda")
NO = _words("no,n,false,f,0,nao,non,nein,nee,nie,falso,faux,falsch,onwaar,not")
# The two sides of an account, of which one is what is paid back: which, depends on whose account it is.
SIDES = (
    *map(_words, ("d,c", "dr,cr", "debit,credit", "s,h", "soll,haben", "debe,haber", "dare,avere")),
    *(frozenset(signs) for signs in (("+", "-"), ("1", "-1"), ("+1", "-1"))),
)

# Ids under which a till or a shop system books whoever gave none.
PLACEHOLDERS = _words(
    "guest,guests,guest user,guest customer,guest checkout,anonymous,anon,unknown,unknown customer,undefined,nobody",
    "walk in,walkin,walk-in customer,walk in customer,cash,cash customer,cash sale,counter,counter sale",
    "retail customer",
    "none,null,nan,na,nil,no id,no customer,no name,not provided,not available,not registered,default,default customer",
    "general public,one time customer,misc,miscellaneous,various,test,xxx,private,visitor,customer,guest@example.com",
    "consumidor,consumidor final,cliente,cliente final,cliente balcao,balcao,cliente avulso,avulso,convidado,anonimo",
    "visitante,sem cadastro,sem nome,sem identificacao,sem cpf,nao informado,nao identificado,cliente nao identificado",
    "cliente padrao,venda balcao,diversos,desconhecido,venda avulsa",
    "invitado,cliente contado,contado,publico general,publico en general,sin nombre,desconocido,cliente ocasional",
    "cliente generico,mostrador,cliente mostrador,cliente varios,sin registro,no registrado",
    "invite,anonyme,inconnu,client de passage,client divers,client comptoir,vente comptoir,gast,anonym,unbekannt",
    "diverse,laufkunde,laufkundschaft,barverkauf,ospite,anonimo,sconosciuto,cliente occasionale,anoniem,onbekend",
    "passant,gosc,anonimowy,nieznany,klient detaliczny,blank,empty,redacted,deleted,no email,noemail",
    "noemail@noemail.com,no@email.com,none@none.com,test@test.com,barkunde,sammelkunde,sammelkonto",
)

# A product whose code or text begins a word with one of these is most likely none.
_SERVICE_STEMS = (
    "post|shipping|carriage|delivery|freight|handling|sample|bank charge|fee|charge|commission|adjust|debt|discount|"
    "manual|voucher|gift card|gift certificate|test|credit|coupon|promo|rebate|surcharge|tip|donation|rounding|"
    "frete|envio|entrega|taxa|ajuste|desconto|descuento|cupom|cupon|amostra|muestra|vale|teste|prueba|flete|comissao|"
    "frais de|livraison|remise|versand|versandkosten|rabatt|gutschein|pfand|spedizione|sconto|verzendkosten|korting|"
    "kadobon|dostawa|rabat"
)
_SERVICE_TEXT = re.compile(rf"(^|[^a-z])({_SERVICE_STEMS})(age|s|ment|ments)?([^a-z]|$)")
NOTHING = re.compile(r"[\W_0]*")  # an id of zeros and signs only
NO_NUMBER = re.compile(r"-1|-?9{4,}")  # ... or one that systems give to whoever has none


def meaning(word: str | None, answers: dict[str, Meaning]) -> Meaning | None:
    """Tell what a state or type stands for: as the user says, else as is common; None where it is unknown."""
    name = key(word or "")
    said = {key(each): sense for each, sense in answers.items()}
    names = {name, name.removeprefix(SYSTEM)}
    return said.get(name) or next((sense for sense, words in MEANINGS.items() if names & words), None)


def words(text: str) -> frozenset[str]:
    """The words of a text, to be looked up in CLEAR_VOID and CLEAR_REFUND: of "Cancelled by customer" three."""
    return frozenset(_WORD.findall(plain(text)))


def looks_like_service(*texts: str | None) -> bool:
    """Tell whether a text of a product speaks of postage, a fee, a voucher, a test or the like."""
    return any(_SERVICE_TEXT.search(plain(text)) for text in texts if text)


def is_service_name(text: str | None) -> bool:
    """Tell whether a text is nothing but the name of a service, as "Shipping" is."""
    return reduced(text or "") in SERVICE


def is_placeholder(customer_id: str) -> bool:
    """Tell whether an id is a word for nobody in particular, of zeros and signs only, of nines, or -1."""
    is_word = bool(NOTHING.fullmatch(customer_id)) or reduced(customer_id) in PLACEHOLDERS
    return is_word or bool(NO_NUMBER.fullmatch(customer_id))


def plain(text: str) -> str:
    """Write a text in small letters without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
